/** Slow consumers as messages: see session/slow.ts. */
import { create } from '@bufbuild/protobuf'
import { durationFromMs } from '@bufbuild/protobuf/wkt'
import { SlowConsumerSchema, SlowPhase } from '@porthouse/proto/admin/v1/stats_service'
import type { Phase, SlowConsumer } from '../../session/slow.ts'
import { socketName } from '../live-names.ts'

const PHASES: Readonly<Record<Phase, SlowPhase>> = {
  transport: SlowPhase.TRANSPORT,
  unacknowledged: SlowPhase.UNACKNOWLEDGED,
  'catching-up': SlowPhase.CATCHING_UP,
  held: SlowPhase.HELD,
  program: SlowPhase.PROGRAM,
  store: SlowPhase.STORE,
}

export function shownSlow({ session, phase, frames, bytes, since }: SlowConsumer) {
  return create(SlowConsumerSchema, {
    socket: socketName(session),
    phase: PHASES[phase],
    waitingBytes: BigInt(bytes),
    waitingMessages: BigInt(frames),
    slow: durationFromMs(Math.max(0, session.core.uptime() - since)),
  })
}
