/** How the reference client opens a connection, by transport. */
import { Transport } from '@porthouse/proto/conformance/v1/transport'
import type { Dial, Opened } from '../connection.ts'
import { shortName } from '../transport.ts'
import { openHttp } from './http.ts'
import { openMqtt } from './mqtt/open.ts'
import { openWebSocket } from './websocket.ts'

type Open = (dial: Dial) => Promise<Opened>

const byTransport: Partial<Record<Transport, Open>> = {
  [Transport.WEBSOCKET]: (dial) => openWebSocket(dial, false),
  [Transport.JSON]: (dial) => openWebSocket(dial, true),
  [Transport.MQTT3]: (dial) => openMqtt(dial, 4),
  [Transport.MQTT5]: (dial) => openMqtt(dial, 5),
  [Transport.HTTP]: openHttp,
}

export function openOn(transport: Transport, dial: Dial): Promise<Opened> {
  const open = byTransport[transport]
  if (!open) throw new TypeError(`nothing is opened over ${shortName(transport)}`)
  return open(dial)
}
