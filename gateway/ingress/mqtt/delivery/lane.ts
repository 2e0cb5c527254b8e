/** The two wire forms of MQTT: with properties, and without. */

import type { Page } from '../../../rooms/history/page.ts'
import type { Lane } from '../../../router/lane.ts'
import type { Version } from '../wire/kind.ts'
import { MqttWriter } from './writer.ts'

export interface MqttLane extends Lane {
  readonly is5: boolean
  writer(place?: string): MqttWriter
  /** A page of a room's past, written once for all who want the same. */
  paged(page: Page): MqttWriter
}

function lane(name: string, is5: boolean): MqttLane {
  const pages = new WeakMap<Page, MqttWriter>()
  const writer = (place = '') => new MqttWriter(place, is5)
  return {
    name,
    medium: 'mqtt',
    is5,
    writer,
    paged(page) {
      let written = pages.get(page)
      if (!written) {
        written = writer(page.place.name)
        for (const { body, message } of page.messages) written.envelope(body, message)
        pages.set(page, written)
      }
      return written
    },
  }
}

/** Of MQTT 3.1 and 3.1.1. */
export const mqtt4Lane = lane('mqtt.4', false)
export const mqtt5Lane = lane('mqtt.5', true)

export function mqttLane(version: Version): MqttLane {
  return version === 5 ? mqtt5Lane : mqtt4Lane
}
