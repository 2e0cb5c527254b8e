/** Wishes to enter a place, and those of them that wait for its locks. */
import { Code } from '@porthouse/proto/v1/code'
import type { LobbyAddress, RoomAddress } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Past } from '../history/backlog.ts'
import type { Session } from '../session.ts'
import type { Listen } from './membership.ts'

export type LastValues = 'none' | 'all' | undefined

/** A wish to enter a place. */
export interface EntryRequest {
  /** Of the Join; 0 where the URL named the place. */
  readonly frameId: number
  /** As written; a room's channel may hold wildcards. */
  readonly target: RoomAddress | LobbyAddress
  readonly listen: Listen
  /** What of the room's past it wants. */
  readonly past?: Past
  /** What it sends is to be replayed to newcomers (R24). */
  readonly replayed?: boolean
  /**
   * Last values of what it asks for: none, or all, of what it hears already too, as MQTT wants it.
   * Absent: those of what is new.
   */
  readonly lastValues?: LastValues
  /** By a topic filter, see Session.topics. */
  readonly byTopic?: true
  /** It wants to know who is there. */
  readonly presence?: boolean
  /** Where a lock is to be met it is refused: the client would not hear what is asked. */
  readonly meetsLocks?: boolean
  /** The client that the URL says this is. */
  readonly client?: string
  /** It has waited for a lock. */
  readonly waited?: true
  /**
   * Told in place of Joined and of refusals: an envelope wishes to get in, whose receipt will say
   * what came of it (R15).
   */
  readonly done?: (refusal: Refusal | undefined) => void
}

/** A wish that waits for locks, under the address that they guard. */
export interface WaitingEntry extends EntryRequest {
  readonly place: string
  /** UUID of the room that set them; absent where there is none. */
  readonly room?: string
}

/**
 * A socket in limbo goes, and so does one that answered wrong too often in the main lobby, where it
 * was asked for nothing; another one stays where it is.
 */
export function lockedOut(session: Session, place: string | undefined, code: Code): void {
  const refused = place === undefined ? [] : takeWaiting(session, place)
  const refusal = new Refusal(code, 'locked out', `lock ${place}`)
  for (const { done } of refused) done?.(refusal)
  const guessed = place === undefined && code !== Code.LOCK_DEADLINE
  if (!session.unlocked || guessed) return session.drop(code, 'locked out')
  for (const { frameId, done } of refused) if (!done) session.refuse(frameId, code, 'locked out')
}

/** Those who wait for the locks of a place; they wait no more. */
export function takeWaiting(session: Session, place: string): WaitingEntry[] {
  const taken = session.waiting.filter((request) => request.place === place)
  session.waiting = session.waiting.filter((request) => request.place !== place)
  return taken
}

/** Id of the frame that asked last to enter a place; 0: none, or none that is to be told. */
export function wisherOf({ waiting }: Session, place: string | undefined): number {
  const wish = waiting.findLast((request) => request.place === place && !request.done)
  return wish?.frameId ?? 0
}
