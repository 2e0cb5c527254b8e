/** Block slow_consumers: what gives way where a socket reads too slowly (R46). */
import { Policy, PolicySchema, type SlowConsumers } from '@porthouse/proto/room/v1/slow_consumers'
import type { Fault } from '../../locks/fault.ts'
import type { RoomConfig } from '../config.ts'
import { known } from './bounds.ts'

export function readSlowConsumers(
  slow: SlowConsumers | undefined,
): Pick<RoomConfig, 'slowConsumers'> {
  return { slowConsumers: slow?.policy || Policy.DISCONNECT }
}

export function checkSlowConsumers({ policy }: SlowConsumers): Iterable<Fault> {
  return known('policy', policy, PolicySchema)
}
