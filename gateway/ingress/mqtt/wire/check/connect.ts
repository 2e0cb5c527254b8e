/** CONNECT (MQTT 3.1.1 and 5, section 3.1): all that can be wrong with it by itself. */
import { Code } from '@porthouse/proto/v1/code'
import type { Version } from '../kind.ts'
import { MqttError, malformed, protocolError, Reason } from '../mqtt-error.ts'
import type { Cursor } from './cursor.ts'
import { checkFormat } from './format.ts'
import { CONNECT_MAY, type Properties, readProperties, WILL_MAY } from './properties.ts'
import { checkTopic } from './topic.ts'

export interface CheckedConnect {
  readonly properties: Properties | undefined
  readonly willProperties: Properties | undefined
}

/** The connect flags, section 3.1.2.3. */
const RESERVED = 0x01
const CLEAN = 0x02
const WILL = 0x04
const WILL_QOS = 0x18
const WILL_RETAIN = 0x20
const PASSWORD = 0x40
const USER_NAME = 0x80

/** By protocol level: how the protocol is called. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [3, 'MQIsdp'],
  [4, 'MQTT'],
  [5, 'MQTT'],
])

/**
 * The version it asks for; the cursor is behind it then. Throws MqttError 0x84 for any other (M4),
 * bridges' private levels (0x83, 0x84) too: they ask again with the ordinary one.
 */
export function readVersion(cursor: Cursor): Version {
  const name = cursor.text()
  const level = cursor.byte()
  if (NAMES.get(level) === name) return level as Version
  const detail = 'neither MQTT 3.1 nor 3.1.1 nor 5'
  throw new MqttError(Reason.UNSUPPORTED_PROTOCOL_VERSION, Code.SUBPROTOCOL_UNSUPPORTED, detail)
}

/** The rest of it. Throws MqttError 0x81, 0x82, 0x85 (M5) or, of the will's payload, 0x99. */
export function checkConnect(cursor: Cursor, version: Version): CheckedConnect {
  const flags = cursor.byte()
  checkFlags(flags, version)
  cursor.int16() // keep alive
  const properties = version === 5 ? readProperties(cursor, CONNECT_MAY) : undefined
  if (properties?.authenticationData && properties.authenticationMethod === undefined) {
    throw protocolError('authentication data without a method')
  }
  checkClientId(cursor.text(), flags, version)
  const willProperties = flags & WILL ? readWill(cursor, version) : undefined
  if (flags & USER_NAME) cursor.text()
  if (flags & PASSWORD) cursor.binary()
  cursor.finish()
  return { properties, willProperties }
}

/** [MQTT-3.1.2-3] and what one flag needs of others, [MQTT-3.1.2-11] to [MQTT-3.1.2-22] (M3). */
function checkFlags(flags: number, version: Version): void {
  if (flags & RESERVED) throw malformed('the reserved connect flag')
  if (!(flags & WILL) && flags & (WILL_QOS | WILL_RETAIN)) {
    throw malformed('flags of a will without a will')
  }
  if ((flags & WILL_QOS) === WILL_QOS) throw malformed('a will QoS of 3')
  if (version < 5 && flags & PASSWORD && !(flags & USER_NAME)) {
    throw malformed('a password without a user name')
  }
}

/** An empty one is for a clean session alone [MQTT-3.1.3-7], for 3.1 not at all. */
function checkClientId(clientId: string, flags: number, version: Version): void {
  if (clientId !== '' || version === 5 || (version === 4 && flags & CLEAN)) return
  const detail = 'an empty client id, and not a clean session'
  throw new MqttError(Reason.CLIENT_IDENTIFIER_NOT_VALID, Code.ADDRESS_INVALID, detail)
}

function readWill(cursor: Cursor, version: Version): Properties | undefined {
  const properties = version === 5 ? readProperties(cursor, WILL_MAY) : undefined
  checkTopic(cursor.text())
  const payload = cursor.binary()
  if (properties) checkFormat({ payload, properties })
  return properties
}
