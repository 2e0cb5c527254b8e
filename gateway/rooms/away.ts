/**
 * What is sent to a room while some who listen there are away, and want it when they come back. An
 * ingress whose sessions outlive their connections brings it; the rooms know nothing of sessions.
 */
import type { Intake, Keeper } from '../router/intake.ts'
import type { Place } from '../router/place.ts'

export interface AwayKeepers {
  /**
   * Of a room that is being loaded. `changed` is called when it begins or ends to keep anything.
   * Rejects with StoreError.
   */
  open(roomId: string, place: Place, changed: () => void): Promise<AwayKeeper>
}

export interface AwayKeeper extends Keeper {
  /** Somebody is away for whom it keeps messages: without, they need no memory of their own. */
  readonly active: boolean
  /** What messages pass while it is: they are acknowledged once what is kept of them is stored. */
  readonly intake: Intake
  /** The room keeps its messages in another way from now on. */
  configured(): void
  /** The room is unloaded, which nobody who is away prevents. */
  close(): void
}
