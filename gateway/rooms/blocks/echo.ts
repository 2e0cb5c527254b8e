/** Block echo: whether a sender hears himself. */
import type { Echo } from '@porthouse/proto/room/v1/echo'
import type { RoomConfig } from '../config.ts'

export function readEcho(echo: Echo | undefined): Pick<RoomConfig, 'echo'> {
  return { echo: echo?.enabled ?? false }
}
