/** CONNECT as a case's Open says it, and what a client of porthouse does right after CONNACK. */
import type { JsonObject } from '@bufbuild/protobuf'
import type { IConnectPacket } from 'mqtt-packet'
import { type Dial, type Opened, Unmet } from '../../connection.ts'
import { shownEnding } from '../../inbox.ts'
import { fill } from '../../template.ts'
import { HELLO, learn } from '../greet.ts'
import { MqttConnection } from './connection.ts'
import { publishOf } from './publish.ts'
import { reasonIn, returnCodeOf } from './reasons.ts'
import { KINDS, type Kind } from './topics.ts'
import { MqttWire, type Version } from './wire.ts'

/** `'refused'` where CONNACK refuses with the code that the case expects. */
export async function openMqtt(dial: Dial, version: Version): Promise<Opened> {
  const { open, mqttUrl } = dial
  const connection = new MqttConnection(await MqttWire.to(mqttUrl, version), dial)
  if (open.bare && open.as === '') return connection
  const connack = await connection.connect(connectPacket(dial, version))
  if (!connack) throw new Unmet(`no CONNACK, ${shownEnding(connection.inbox.ending)}`)
  const reason = (version === 5 ? connack.reasonCode : connack.returnCode) ?? 0
  if (open.refused) {
    const expected = version === 5 ? reasonIn('connack', open.refused) : returnCodeOf(open.refused)
    if (reason === expected) return 'refused'
    throw new Unmet(`CONNACK says ${reason}, not ${expected} for ${open.refused}`)
  }
  if (reason !== 0) throw new Unmet(`the connection was refused: ${reason}`)
  if (!open.bare) await greet(connection, dial)
  return connection
}

function connectPacket({ open, variables, who }: Dial, version: Version): IConnectPacket {
  const { as, path, clientId, sessionExpiry } = open
  const account = variables.value(as.startsWith('other.') ? 'other' : 'account')
  const userName = fill(path, variables) || account
  const isKept = sessionExpiry > 0
  const properties = {
    userProperties: { 'porthouse-stamp': '1' },
    ...(isKept && { sessionExpiryInterval: sessionExpiry }),
  }
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: version,
    clean: !isKept,
    keepalive: 0,
    clientId: String(fill(clientId || who, variables)),
    ...((as !== '' || path !== '') && { username: String(userName).replaceAll(/^\/|\/$/g, '') }),
    ...(as !== '' && { password: Buffer.from(String(variables.value(`${as}.secret`))) }),
    ...(open.will && { will: willOf(fill(open.will, variables) as JsonObject, version) }),
    ...(version === 5 && { properties }),
  }
}

function willOf(envelope: JsonObject, version: Version): NonNullable<IConnectPacket['will']> {
  const said = publishOf(envelope, version, new Map())
  if (!said) throw new TypeError('this will is nothing that a PUBLISH can say')
  return said
}

/** Listens to the reserved topics, and says Hello; in limbo there is nothing but locks. */
async function greet(connection: MqttConnection, dial: Dial): Promise<void> {
  const { open } = dial
  if (open.as === '') {
    if (!(await connection.listenTo(['lock']))) throw new Unmet('nobody may listen to its lock')
    return
  }
  const hasEvents = open.capabilities.includes('events')
  const kinds: readonly Kind[] = KINDS.filter((kind) => kind !== 'event' || hasEvents)
  if (!(await connection.listenTo(kinds))) throw new Unmet('reserved topics were refused')
  if (open.noHello) return
  const hello = { capabilities: open.capabilities }
  const { welcome } = ((await connection.ask({ id: HELLO, hello })) ?? {}) as {
    welcome?: JsonObject
  }
  if (!welcome) throw new Unmet('Hello was not answered by a Welcome')
  learn(welcome, dial)
}
