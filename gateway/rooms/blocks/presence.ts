/** Block presence: whether members see each other come and go (R23). */
import type { Presence } from '@porthouse/proto/room/v1/presence'
import type { Fault } from '../../locks/fault.ts'
import type { RoomConfig } from '../config.ts'
import { atMost } from './bounds.ts'

const MEMBERS = 256
const MEMBERS_MAX = 10_000
const INTERVAL_MS = 200
const INTERVAL_MS_MAX = 60_000

export function readPresence(presence: Presence | undefined): Pick<RoomConfig, 'presence'> {
  if (!presence?.enabled) return { presence: undefined }
  const { members, intervalMs } = presence
  return { presence: { members: members || MEMBERS, intervalMs: intervalMs || INTERVAL_MS } }
}

export function* checkPresence({ members, intervalMs }: Presence): Iterable<Fault> {
  yield* atMost('members', members, MEMBERS_MAX)
  yield* atMost('intervalMs', intervalMs, INTERVAL_MS_MAX)
}
