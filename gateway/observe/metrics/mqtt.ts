/** Sessions of MQTT that outlive their connections, and what is under way to clients. */
import type { MqttParts } from '../../ingress/mqtt/parts.ts'
import { type Family, type Numbers, single } from './family.ts'

/** 0 where MQTT is off. */
function ofMqtt(name: Numbers['name'], help: string, read: (mqtt: MqttParts) => number): Family {
  return single('gauge', name, help, ({ mqtt }) => (mqtt ? read(mqtt) : 0))
}

export const mqtt: readonly Family[] = [
  ofMqtt(
    'porthouse_mqtt_sessions',
    'Sessions that outlive their connections, as counted last.',
    ({ kept }) => kept.count,
  ),
  ofMqtt(
    'porthouse_mqtt_queue_messages',
    'Messages for clients that are away which wait for the store.',
    ({ kept }) => kept.queue.messages,
  ),
  ofMqtt('porthouse_mqtt_queue_bytes', 'Bytes of them.', ({ kept }) => kept.queue.bytes),
  ofMqtt(
    'porthouse_mqtt_inflight_messages',
    'Messages of QoS 1 and 2 that clients have not acknowledged.',
    ({ connections }) => {
      let inflight = 0
      for (const { session, outbox } of connections.values()) {
        if (session) inflight += outbox.inflight
      }
      return inflight
    },
  ),
]
