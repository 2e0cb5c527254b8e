/** MQTT's quality of service, and what it is to an envelope and its receipt. */
import { Quality } from '@porthouse/proto/v1/envelope'
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import type { QoS } from 'mqtt-packet'

/** Of what is published with it. */
export function qualityOf(qos: QoS): Quality {
  return (Quality.AT_MOST_ONCE + qos) as Quality
}

/**
 * With what QoS a subscriber gets a message: what it was published with or what he was granted,
 * whichever is lower [MQTT-3.8.4-8]. One that no MQTT client has published, or with a quality that
 * this version does not know, lowers nothing.
 */
export function outgoingQos(quality: number, granted: QoS): QoS {
  const isKnown = quality >= Quality.AT_MOST_ONCE && quality <= Quality.EXACTLY_ONCE
  return isKnown ? (Math.min(quality - Quality.AT_MOST_ONCE, granted) as QoS) : granted
}

/**
 * What an acknowledgement waits for; of QoS 0 there is none. A durable room stores a message before
 * it routes it, so that ROUTED is said there after the commit, and holds where nothing is stored.
 */
export function receiptLevelOf(qos: QoS): ReceiptLevel {
  return qos === 0 ? ReceiptLevel.UNSPECIFIED : ReceiptLevel.ROUTED
}
