/**
 * A room's program, as the room sees it (R25): a gate before its history. gateway/programs brings
 * it; the session does what a program asks for with a socket.
 */
import type { JsonObject } from '@bufbuild/protobuf'
import type { Code } from '@porthouse/proto/v1/code'
import type { Named } from '../locks/proof.ts'
import type { Intake } from '../router/intake.ts'
import type { Membership } from '../router/membership.ts'
import type { Place } from '../router/place.ts'
import type { ProgramConfig } from './config.ts'
import type { Waiting } from './history/writer.ts'

export interface RoomPrograms {
  /** Begins a room's program. What it lets through, and what it sends, goes on to `next`. */
  attach(room: ProgrammedRoom, next: Intake): RoomProgram
  /** Ends all of them, with the gateway. */
  stop(): void
  readonly figures: ProgramFigures
}

export interface ProgramFigures {
  readonly processes: number
  /** Of messages that wait for programs. */
  readonly messages: number
  readonly bytes: number
  /** Since the gateway has begun. */
  readonly failures: number
}

export interface ProgrammedRoom {
  readonly account: Named
  readonly place: Place
  readonly program: ProgramConfig
}

export interface RoomProgram extends Intake {
  readonly program: ProgramConfig
  /** Who has just come in, listening or not. */
  joined(member: Membership): void
  left(member: Membership): void
  /** Messages, or comings and goings, wait for it. */
  readonly isBusy: boolean
  /** Messages that wait for it. */
  waiting(): Iterable<Waiting>
  /** Calls once, as soon as nothing waits; at once where nothing does. */
  whenIdle(run: () => void): void
  /** What it lets through goes there from now on. */
  passTo(next: Intake): void
  /** The room is unloaded, or has no such program any more: what waits goes on, or is refused. */
  end(): void
}

/** What a program may have done with those who are in its room. Throws Refusal, or rejects. */
export interface ProgramActions {
  /** Puts him out of the room, and tells him why. */
  expel(member: Membership, code: Code, detail: string): void
  /** Has him hear a channel of the room, or a filter of channels. */
  subscribe(member: Membership, filter: string): void
  unsubscribe(member: Membership, filter: string): void
  /** Has him enter another room of the account, through its locks, and then leave this one. */
  move(member: Membership, room: string): Promise<void>
  /** Asks him for a lock. Resolves once it is open, or was before. */
  lock(member: Membership, lock: AskedLock): Promise<void>
  /** He has left, and the locks that he was asked for here are void. */
  left(member: Membership): void
  /** Tells the account what a program failed of; `place`: the room's address, where it is known. */
  failed(account: Named, place: string | undefined, code: Code, detail: string): void
}

export interface AskedLock {
  readonly acceptor: string
  readonly options: JsonObject
  /** Milliseconds. Absent: the gateway's own deadline. */
  readonly deadlineMs?: number
}
