/** A live connection as the router sees it; a session implements it (R28, R31). */
import type { Stamp } from '../protocol/packet-writer.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import type { Batch } from './batch.ts'
import type { Lane } from './lane.ts'
import type { Membership } from './place.ts'

export interface Socket {
  /** Without its `socket:`. */
  readonly id: string
  /** UTF-8 of the address that its messages are from. */
  readonly from: Uint8Array
  readonly lane: Lane
  /** Whose idempotency keys are one set: the client, else the token, else the socket. */
  readonly principal: string
  /** Slugs of the accounts in which it has proved an identity. */
  readonly accounts: ReadonlySet<string>
  /** `client:{account}/{client}` that it acts as, if any, in slugs. */
  readonly client: string | undefined
  /** That address and those that hold a UUID in place of a slug; empty where it acts as none. */
  readonly clientNames: readonly string[]
  /** By route. */
  readonly memberships: ReadonlyMap<number, Membership>
  /** Where an envelope without destinations goes: the place that it entered by (R27). */
  readonly target: { readonly membership: Membership; readonly channel: string } | undefined

  /** Takes frames `from` to `to` of a batch, whose bytes on this lane are `bytes`. Never waits. */
  deliver(bytes: Buffer, batch: Batch, from: number, to: number): void
  /** Takes a message that is for this socket alone, or for its client. */
  direct(envelope: ScannedEnvelope, stamp: Stamp): void
}
