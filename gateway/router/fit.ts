/** Step 3: is it what the room wants, and has whatever keeps its messages a place for it? */
import { Step } from '@porthouse/proto/admin/v1/trail'
import { Refusal } from '../protocol/codes.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import { refused, refusedFor, type Sendable } from './destination.ts'
import type { Membership } from './membership.ts'
import type { Leg } from './trail.ts'

/** The envelope as the room wants it (R20), or why it is none. */
export function fit(destination: Sendable, envelope: ScannedEnvelope, leg: Leg | undefined) {
  if (leg) leg.step = Step.FIT
  const room = roomOf(destination)
  if (!room) return envelope
  const { name } = destination
  const { keeper, config } = room.place
  // One that takes a channel's last value away has no content to fit (PH-16.9).
  const clears = envelope.retain && envelope.contentEnd === envelope.contentStart
  try {
    const fitted = config.structure && !clears ? config.structure.admit(envelope) : envelope
    // What is sent to a group is not kept.
    const refusal =
      destination.kind === 'room' ? keeper?.refuses(room, destination.channel, fitted) : undefined
    if (config.structure) leg?.fitted()
    return refusal ? refusedFor(name, refusal) : fitted
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return refused(name, error.code, error.detail, room.place.line('messages'))
  }
}

/** The sender's membership of the room that says what may be sent there. */
export function roomOf(destination: Sendable): Membership | undefined {
  return 'membership' in destination ? destination.membership : undefined
}
