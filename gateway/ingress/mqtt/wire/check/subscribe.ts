/** SUBSCRIBE and UNSUBSCRIBE (MQTT 3.1.1 and 5, sections 3.8 and 3.10). */

import type { Version } from '../kind.ts'
import { malformed, protocolError } from '../mqtt-error.ts'
import type { Cursor } from './cursor.ts'
import { type Properties, readProperties, SUBSCRIBE_MAY, UNSUBSCRIBE_MAY } from './properties.ts'
import { isShared } from './topic.ts'

/** The subscription options of MQTT 5, section 3.8.3.1; 3.1.1 has the QoS alone. */
const QOS = 0x03
const NO_LOCAL = 0x04
const RETAIN_HANDLING = 0x30
const RESERVED = 0xc0

/**
 * Throws MqttError 0x81 or 0x82. A filter with wildcards in wrong places is not among it, since
 * that one is refused alone: filterError.
 */
export function checkSubscribe(cursor: Cursor, version: Version): Properties | undefined {
  cursor.messageId()
  const properties = version === 5 ? readProperties(cursor, SUBSCRIBE_MAY) : undefined
  checkNotEmpty(cursor)
  while (cursor.left > 0) {
    const filter = readFilter(cursor)
    const options = cursor.byte()
    if (version === 5) checkOptions(options, isShared(filter))
    else if (options > 2) throw malformed('a QoS over 2')
  }
  return properties
}

/** Throws MqttError 0x81 or 0x82. */
export function checkUnsubscribe(cursor: Cursor, version: Version): Properties | undefined {
  cursor.messageId()
  const properties = version === 5 ? readProperties(cursor, UNSUBSCRIBE_MAY) : undefined
  checkNotEmpty(cursor)
  while (cursor.left > 0) readFilter(cursor)
  return properties
}

/** [MQTT-3.8.3-2] [MQTT-3.10.3-2] */
function checkNotEmpty(cursor: Cursor): void {
  if (cursor.left === 0) throw protocolError('no filter')
}

/** [MQTT-3.8.3-1] [MQTT-4.7.3-1] */
function readFilter(cursor: Cursor): string {
  const filter = cursor.text()
  if (filter === '') throw malformed('an empty filter')
  return filter
}

/** [MQTT-3.8.3-4] [MQTT-3.8.3-5] */
function checkOptions(options: number, shared: boolean): void {
  if (options & RESERVED) throw malformed('reserved subscription options')
  if ((options & QOS) === QOS) throw protocolError('a QoS of 3')
  if ((options & RETAIN_HANDLING) === RETAIN_HANDLING) throw protocolError('a retain handling of 3')
  if (shared && options & NO_LOCAL) throw protocolError('a shared subscription with no local')
}
