/** A client whose identity is settled comes to its session: it takes it over, or begins one. */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../../protocol/codes.ts'
import { StoreError } from '../../../store/store.ts'
import type { MqttConnection } from '../connection.ts'
import type { Agreed } from './agreed.ts'

/** Arrivals that are at work on their session, so that nobody takes it from under their hands. */
const working = new WeakMap<MqttConnection, Promise<unknown>>()

/**
 * Ends with Aedes' CONNACK, for which see connack.ts. Rejects with Refusal and MqttError where it
 * may not; does nothing more once the connection is closed.
 */
export async function arrive(connection: MqttConnection): Promise<void> {
  const { parts, agreed, login } = connection
  if (!agreed || !login || !(await takeOver(connection, agreed))) return
  const begun = parts.kept.begin(connection)
  // Whoever comes next waits for it; that it failed is told to this one alone.
  const settled = begun.catch(() => undefined)
  working.set(connection, settled)
  const isPresent = await begun.catch((error) => {
    throw unavailable(error)
  })
  if (isClosed(connection)) return parts.kept.leave(connection)
  login.isPresent = isPresent
  connection.port = parts.broker.attach(connection)
  connection.port.send({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: agreed.key,
    clean: !isPresent && agreed.sessionExpiry === 0,
    keepalive: 0,
  })
}

/**
 * The newest connection has the session [MQTT-3.1.4-3]: others of the same principal and client id
 * go first, and have let go of it when this resolves. Of several that come at once one stays (A14).
 * False: it is closed itself.
 */
async function takeOver(connection: MqttConnection, { key }: Agreed): Promise<boolean> {
  const { connections } = connection.parts
  for (;;) {
    const older = connections.get(key)
    if (isClosed(connection)) return false
    if (!older) break
    older.session?.drop(Code.REPLACED, 'the client id has connected anew')
    await older.over
    await working.get(older)
    if (connections.get(key) === older) connections.delete(key)
  }
  connections.set(key, connection)
  const forget = () => {
    if (connections.get(key) === connection) connections.delete(key)
  }
  connection.over.then(() => working.get(connection)).then(forget)
  return true
}

function isClosed({ state }: MqttConnection): boolean {
  return state === 'closed'
}

function unavailable(error: unknown): unknown {
  if (!(error instanceof StoreError) || error.failure === 'unreadable') return error
  return new Refusal(Code.UNAVAILABLE, 'the store is away')
}
