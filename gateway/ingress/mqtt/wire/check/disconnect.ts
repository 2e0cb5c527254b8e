/** DISCONNECT and AUTH (MQTT 5 sections 3.14 and 3.15). */
import type { Version } from '../kind.ts'
import { malformed, protocolError } from '../mqtt-error.ts'
import type { Cursor } from './cursor.ts'
import { AUTH_MAY, DISCONNECT_MAY, type Properties, readProperties } from './properties.ts'

/** Those of a client, section 3.14.2.1. */
const DISCONNECT_REASONS: ReadonlySet<number> = new Set([
  0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
])

/** To go on, and to authenticate anew; success is the server's to say. */
const AUTH_REASONS: ReadonlySet<number> = new Set([0x18, 0x19])

/** Throws MqttError 0x81 or 0x82. Before MQTT 5 it is its header alone. */
export function checkDisconnect(cursor: Cursor, version: Version): Properties | undefined {
  if (version < 5) cursor.finish()
  if (cursor.left === 0) return undefined
  if (!DISCONNECT_REASONS.has(cursor.byte())) throw malformed('not a reason of DISCONNECT')
  if (cursor.left === 0) return undefined
  const properties = readProperties(cursor, DISCONNECT_MAY)
  cursor.finish()
  return properties
}

/** Throws MqttError 0x81 or 0x82; without a method it is refused, so without anything, too. */
export function checkAuth(cursor: Cursor): Properties {
  if (cursor.left > 0 && !AUTH_REASONS.has(cursor.byte())) throw malformed('not a reason of AUTH')
  const properties = cursor.left > 0 ? readProperties(cursor, AUTH_MAY) : undefined
  if (properties?.authenticationMethod === undefined) throw protocolError('AUTH without a method')
  cursor.finish()
  return properties
}
