/** SUBSCRIBE and UNSUBSCRIBE (MQTT 3.1.1 and 5, sections 3.8 and 3.10). */
import { Code } from '@porthouse/proto/v1/code'
import type { Version } from '../kind.ts'
import { MqttError, malformed, protocolError, Reason } from '../mqtt-error.ts'
import type { Cursor } from './cursor.ts'
import { type Properties, readProperties, SUBSCRIBE_MAY, UNSUBSCRIBE_MAY } from './properties.ts'
import { isShared } from './topic.ts'

/** The subscription options of MQTT 5, section 3.8.3.1; 3.1.1 has the QoS alone. */
const QOS = 0x03
const NO_LOCAL = 0x04
const RETAIN_HANDLING = 0x30
const RESERVED = 0xc0

/** In one packet, far over any limit on subscriptions: a megabyte of them takes 150 ms to parse. */
const FILTERS_MAX = 4_096

/**
 * Throws MqttError 0x81, 0x82 or, for too many filters, 0x97. A filter with wildcards in wrong
 * places is not among it, since that one is refused alone: mapping/filter.ts.
 */
export function checkSubscribe(cursor: Cursor, version: Version): Properties | undefined {
  cursor.messageId()
  const properties = version === 5 ? readProperties(cursor, SUBSCRIBE_MAY) : undefined
  for (let count = 0; count === 0 || cursor.left > 0; count++) {
    const filter = readFilter(cursor, count)
    const options = cursor.byte()
    if (version === 5) checkOptions(options, isShared(filter))
    else if (options > 2) throw malformed('a QoS over 2')
  }
  return properties
}

/** Throws MqttError 0x81, 0x82 or, for too many filters, 0x97. */
export function checkUnsubscribe(cursor: Cursor, version: Version): Properties | undefined {
  cursor.messageId()
  const properties = version === 5 ? readProperties(cursor, UNSUBSCRIBE_MAY) : undefined
  for (let count = 0; count === 0 || cursor.left > 0; count++) readFilter(cursor, count)
  return properties
}

/** The next one after `count`: at least one [MQTT-3.8.3-2] [MQTT-3.10.3-2], not empty. */
function readFilter(cursor: Cursor, count: number): string {
  if (cursor.left === 0) throw protocolError('no filter')
  if (count === FILTERS_MAX) throw tooMany()
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

function tooMany(): MqttError {
  const detail = `over ${FILTERS_MAX} filters in one packet`
  return new MqttError(Reason.QUOTA_EXCEEDED, Code.ROOM_LIMIT, detail)
}
