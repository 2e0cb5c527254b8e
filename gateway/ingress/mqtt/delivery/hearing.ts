/** What the subscriptions that a message matches come to: it is delivered once by all of them. */
import type { QoS } from 'mqtt-packet'
import type { Subscription } from './subscriptions.ts'

export interface Hearing {
  /** The highest that was granted [MQTT-3.3.4-2]. */
  readonly granted: QoS
  /** Some of them wants RETAIN as it was published [MQTT-3.3.1-13]. */
  readonly retainAsPublished: boolean
  /** Of all that have one [MQTT-3.3.4-4]. */
  readonly identifiers: readonly number[]
}

const NONE: readonly number[] = []

/** Undefined where none hears it: `isOwn`, the client has sent it itself [MQTT-3.8.3-3]. */
export function hearingOf(matching: readonly Subscription[], isOwn: boolean): Hearing | undefined {
  let granted: QoS | undefined
  let retainAsPublished = false
  let identifiers = NONE
  for (const each of matching) {
    if (isOwn && each.noLocal) continue
    if (granted === undefined || each.qos > granted) granted = each.qos
    retainAsPublished ||= each.retainAsPublished
    if (each.identifier !== undefined) identifiers = [...identifiers, each.identifier]
  }
  return granted === undefined ? undefined : { granted, retainAsPublished, identifiers }
}
