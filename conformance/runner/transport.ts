/** Transports by their short names, as they stand in YAML and in the full name of a case. */
import { type Transport, TransportSchema } from '@porthouse/proto/conformance/v1/transport'

const PREFIX = 'TRANSPORT_'

/** "mqtt5" */
export function shortName(transport: Transport): string {
  return TransportSchema.value[transport]!.name.slice(PREFIX.length).toLowerCase()
}

/** TRANSPORT_MQTT5, as Protobuf JSON has it. */
export function longName(name: string): string {
  return name.startsWith(PREFIX) ? name : `${PREFIX}${name.toUpperCase()}`
}
