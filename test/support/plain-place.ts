/** The config of a place that nobody has bounded. */
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import type { PlaceConfig } from '../../gateway/router/place-config.ts'

export const plainPlace: PlaceConfig = {
  blocks: [],
  echo: false,
  slowConsumers: Policy.DISCONNECT,
  limits: {
    sockets: undefined,
    payloadBytes: undefined,
    socketRate: undefined,
    roomRate: undefined,
  },
  channels: [],
  channelsOnly: false,
  structure: undefined,
  defaultTarget: undefined,
  groups: [],
  flushWindowMs: undefined,
}
