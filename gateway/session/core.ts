/** What every session works with; one object for the whole gateway, made in gateway.ts. */

import type { Failures } from '../identity/failures.ts'
import type { Flow } from '../locks/flow.ts'
import type { Proof } from '../locks/proof.ts'
import type { Acceptors } from '../locks/read-flow.ts'
import type { Counts } from '../observe/counts.ts'
import type { Log } from '../observe/log.ts'
import type { Limits } from '../protocol/limits.ts'
import type { HistoryWriter } from '../rooms/history/writer.ts'
import type { RoomPrograms } from '../rooms/program.ts'
import type { RetainedWriter } from '../rooms/retained/retained-writer.ts'
import type { Rooms } from '../rooms/rooms.ts'
import type { OwnChannels } from '../router/own-channels.ts'
import type { Router } from '../router/router.ts'
import type { Turn } from '../router/turn.ts'
import type { Cursors } from '../store/history.ts'
import type { Recorder } from '../why/recorder.ts'
import type { Lobbies } from './entry/lobbies.ts'
import type { CatchUps } from './history/catch-ups.ts'
import type { CursorBook } from './history/cursor-book.ts'
import type { Accounts } from './identity/accounts.ts'
import type { Resumes } from './identity/resume.ts'
import type { Shares } from './identity/shares.ts'
import type { Holders } from './live/holders.ts'
import type { Knocks } from './locks/knocks.ts'
import type { OutboxOptions } from './outbox/outbox.ts'
import type { Presence } from './presence/presence.ts'
import type { Technical } from './technical/technical.ts'

export interface Core {
  readonly options: SessionOptions
  /** Milliseconds since 1970-01-01 UTC, for what is told and compared with what is stored. */
  readonly clock: () => number
  /**
   * Milliseconds that only rise, for deadlines and silence: a clock that is set must end nobody.
   */
  readonly uptime: () => number
  /** A new socket's or lock's id, 16 characters of base32. */
  readonly newId: () => string
  readonly router: Router
  /** Where it is noted what became of messages; undefined where nobody asks (R49). */
  readonly trails: Recorder | undefined
  readonly rooms: Rooms
  readonly programs: RoomPrograms
  /** Of what durable rooms store. */
  readonly writer: HistoryWriter
  /** Of last values. */
  readonly retained: RetainedWriter
  readonly own: OwnChannels
  readonly cursors: CursorBook
  /** Counts what was not read. */
  readonly unread: Cursors['unread']
  readonly catchUps: CatchUps
  readonly turn: Turn
  readonly acceptors: Acceptors
  /** What guards a room that does not exist, as a stranger sees it, and every account's lobby. */
  readonly strangersFlow: Flow
  readonly lobbyFlow: Flow
  readonly lobbies: Lobbies
  /** Wrong answers, by the network that they came from. */
  readonly failures: Failures
  readonly holders: Holders
  readonly accounts: Accounts
  readonly resumes: Resumes
  /** A proof as the store has it now; undefined where it no longer holds. */
  readonly renew: (proof: Proof) => Promise<Proof | undefined>
  readonly shares: Shares
  readonly technical: Technical
  readonly knocks: Knocks
  readonly presence: Presence
  readonly counts: Counts
  readonly log: Log
}

export interface SessionOptions {
  readonly limits: Limits
  readonly heartbeatMs: number
  /** What a socket may do before it has unlocked anything (R14). */
  readonly limbo: {
    readonly deadlineMs: number
    readonly bytes: number
    readonly frames: number
    readonly tries: number
  }
  readonly outbox: OutboxOptions
  readonly technical: {
    /** Sockets of a room up to which each of them may hear who comes and goes. */
    readonly roomSockets: number
  }
  /** Bytes of a socket's frames that a lock under way may hold back. */
  readonly pendingBytes: number
}
