/** A client whose identity is settled comes to its session: it takes it over, or begins one. */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../../protocol/codes.ts'
import { StoreError } from '../../../store/store.ts'
import type { MqttConnection } from '../connection.ts'
import type { Agreed } from './agreed.ts'
import { keyOf, type Principal } from './session-key.ts'

/** What an arrival does with its session, so that nobody takes that from under its hands. */
const working = new WeakMap<MqttConnection, Promise<unknown>>()

/**
 * Ends with Aedes' CONNACK, for which see connack.ts. Rejects with Refusal and MqttError where it
 * may not; does nothing more once the connection is closed.
 */
export async function arrive(connection: MqttConnection): Promise<void> {
  // What an earlier connection has left of its session may wait for a store that is away.
  const late = setTimeout(
    () => connection.fail(new Refusal(Code.UNAVAILABLE, 'the store takes too long')),
    connection.parts.options.connectTimeoutMs,
  )
  late.unref()
  try {
    await comeIn(connection)
  } finally {
    clearTimeout(late)
  }
}

async function comeIn(connection: MqttConnection): Promise<void> {
  const { parts, agreed, login } = connection
  if (!agreed || !login || !(await takeOver(connection, agreed))) return
  const work = begin(connection)
  // Whoever comes next waits for it; that it failed is told to this one alone.
  working.set(
    connection,
    work.catch(() => undefined),
  )
  login.isPresent = await work
  if (isClosed(connection)) return
  connection.port = parts.broker.attach(connection)
  connection.port.send({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: agreed.key,
    clean: !login.isPresent && agreed.sessionExpiry === 0,
    keepalive: 0,
  })
}

/** Resolves with whether there was a session. */
async function begin(connection: MqttConnection): Promise<boolean> {
  const { kept } = connection.parts
  try {
    const isPresent = await kept.begin(connection)
    if (isClosed(connection)) kept.leave(connection)
    return isPresent
  } catch (error) {
    if (!(error instanceof StoreError) || error.failure === 'unreadable') throw error
    throw new Refusal(Code.UNAVAILABLE, 'the store is away')
  } finally {
    working.delete(connection)
    if (isClosed(connection)) depart(connection)
  }
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
    replace(older)
    await older.over
    await working.get(older)
  }
  connections.set(key, connection)
  return true
}

/** The same where a proof has no room for both: the older one goes before this one is known. */
export function replaceBy(
  { parts }: MqttConnection,
  principal: Principal | undefined,
  clientId: string,
): void {
  const older = principal && clientId && parts.connections.get(keyOf(principal, clientId))
  if (older) replace(older)
}

function replace({ session }: MqttConnection): void {
  session?.drop(Code.REPLACED, 'the client id has connected anew')
}

/** A connection that is closed has no session any more, once it is done with it. */
export function depart(connection: MqttConnection): void {
  const { agreed, parts } = connection
  if (!agreed || working.has(connection)) return
  if (parts.connections.get(agreed.key) === connection) parts.connections.delete(agreed.key)
}

function isClosed({ state }: MqttConnection): boolean {
  return state === 'closed'
}
