/** Block limits: how much of what, beside the gateway's own limits. */
import type { Limits, Rate } from '@porthouse/proto/room/v1/limits'
import type { Fault } from '../../locks/fault.ts'
import type { RoomConfig } from '../config.ts'

export function readLimits(limits: Limits | undefined): Pick<RoomConfig, 'limits'> {
  return {
    limits: {
      sockets: limits?.sockets || undefined,
      payloadBytes: limits?.payloadBytes || undefined,
      socketRate: readRate(limits?.socketRate),
      roomRate: readRate(limits?.roomRate),
    },
  }
}

export function* checkLimits({ socketRate, roomRate }: Limits): Iterable<Fault> {
  if (socketRate) yield* checkRate('socketRate', socketRate)
  if (roomRate) yield* checkRate('roomRate', roomRate)
}

function readRate(rate: Rate | undefined) {
  if (!rate) return undefined
  return { perSecond: rate.perSecond, burst: rate.burst || Math.max(1, rate.perSecond) }
}

function* checkRate(path: string, { perSecond, burst }: Rate): Iterable<Fault> {
  if (!Number.isFinite(perSecond) || perSecond <= 0) {
    yield { path: `${path}.perSecond`, reason: `${perSecond} is not a number over 0` }
  }
  // With less than one at once nothing could ever be sent.
  if (burst !== 0 && !(Number.isFinite(burst) && burst >= 1)) {
    yield { path: `${path}.burst`, reason: `${burst} is not a number of at least 1` }
  }
}
