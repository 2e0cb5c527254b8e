/**
 * All programs of one account, in one process: begun when a room needs it, ended when none does,
 * and begun anew, with all of them, when one takes too long or breaks it (R25).
 */
import { Code } from '@porthouse/proto/v1/code'
import type { Named } from '../locks/proof.ts'
import type { Log } from '../observe/log.ts'
import { DETAIL_BYTES_MAX } from '../protocol/limits.ts'
import type { ProgramActions } from '../rooms/program.ts'
import { cut } from './cut.ts'
import { ProgramProcess } from './process.ts'
import { Allowance } from './queue.ts'
import type { RoomCalls } from './room-program.ts'
import { type Answer, type Call, COMMANDS_MAX, type Command, type FromPrograms } from './wire.ts'

export interface ProgramOptions {
  /** Undefined: there are none, and rooms that ask for one are told so. */
  readonly folder?: string | undefined
  readonly memoryMb: number
  readonly queue: number
  readonly queueBytes: number
  readonly waitMs: number
}

export interface AccountParts {
  readonly account: Named
  readonly options: ProgramOptions
  /** Of one message, in bytes. */
  readonly payloadBytes: number
  readonly log: Log
  /** Milliseconds that only rise. */
  readonly uptime: () => number
  readonly actions: ProgramActions
  /** Nobody needs it any more. */
  readonly unused: () => void
  /** The process broke, or had to be ended. */
  readonly failed: () => void
}

/** In milliseconds: for a module to load; between two pings, and to answer one. */
const LOAD_MS = 10_000
const PING_MS = 1_000
const PONG_MS = 3_000
/** Without a room the process is kept for so long, since rooms come and go. */
const LINGER_MS = 3_000
/** After a failure soon after another: twice as long each time. In milliseconds. */
const PAUSE_MS = 250
const PAUSE_MS_MAX = 60_000
/** So long without a failure, and the next one is as if it were the first. */
const QUIET_MS = 60_000
/** Failures outside of calls that are told in a second. */
const FAULTS_MAX = 8

interface Pending {
  readonly room: RoomCalls
  budget: NodeJS.Timeout | undefined
}

export class AccountPrograms {
  readonly allowance: Allowance
  readonly #parts: AccountParts
  readonly #rooms = new Map<number, RoomCalls>()
  readonly #loads = new Map<number, NodeJS.Timeout>()
  readonly #calls = new Map<number, Pending>()
  #process: ProgramProcess | undefined
  #watch: NodeJS.Timeout | undefined
  #linger: NodeJS.Timeout | undefined
  #pause: NodeJS.Timeout | undefined
  #pingedAt: number | undefined
  #lastCall = 0
  #failures = 0
  #failedAt = Number.NEGATIVE_INFINITY
  #faults = 0
  /** Modules have changed: a new process as soon as no call is under way. */
  #stale = false
  /** Taken in this turn, to be answered at its end: a program has no more at once than it may. */
  #answers: Answer[] = []
  #taken = 0
  /** Rooms that are loaded. */
  #held = 0

  constructor(parts: AccountParts) {
    this.#parts = parts
    this.allowance = new Allowance(parts.options.queueBytes)
  }

  get isRunning(): boolean {
    return this.#process !== undefined
  }

  /** A room is loaded that may need it. */
  hold(): void {
    this.#held++
    clearTimeout(this.#linger)
  }

  release(): void {
    if (--this.#held === 0) this.#linger = setTimeout(() => this.end(), LINGER_MS).unref()
  }

  /** Its program is needed now. */
  attach(room: RoomCalls): void {
    this.#rooms.set(room.number, room)
    if (this.#pause) return room.lost(false)
    if (this.#parts.options.folder === undefined) {
      this.tell(room, 'this gateway has no programs: see programs.folder and features')
      return room.lost(false)
    }
    if (!this.#process) return this.#start()
    this.#load(room)
  }

  detach(room: RoomCalls): void {
    if (!this.#rooms.delete(room.number)) return
    this.#endLoad(room.number)
    this.#process?.tell({ type: 'detach', room: room.number })
  }

  /** Another call of the room before this one has ended is not to be made. False: not now. */
  call(room: RoomCalls, call: Call): boolean {
    if (!this.#process || this.#stale) return false
    const number = ++this.#lastCall
    this.#calls.set(number, { room, budget: undefined })
    this.#process.tell({ type: 'call', call: number, room: room.number, ...call })
    return true
  }

  /** Modules have changed. */
  renew(): void {
    if (!this.#process) return
    this.#stale = true
    this.#renewIfIdle()
  }

  end(): void {
    clearTimeout(this.#linger)
    clearTimeout(this.#pause)
    this.#stop()
    // What waits does not wait for a process any more.
    for (const room of this.#rooms.values()) room.lost(false)
    this.#parts.unused()
  }

  /** Tells the account what went wrong. */
  tell(room: RoomCalls | undefined, how: string): void {
    const detail = cut(how, DETAIL_BYTES_MAX)
    const { account, actions, log } = this.#parts
    const place = room?.address
    log.warn(
      { account: account.slug, room: room?.address.slice('room:'.length), detail },
      'a program failed',
    )
    actions.failed(account, place, Code.PROGRAM_FAILED, detail)
  }

  #start(): void {
    const { options, payloadBytes, log } = this.#parts
    const { folder = '', memoryMb } = options
    // Base64 of the largest message, and what goes with it.
    const lineMax = 2 * payloadBytes + 65_536
    this.#stale = false
    const process = new ProgramProcess(
      { folder, memoryMb, lineMax, log },
      {
        said: (message) => this.#process === process && this.#said(message),
        broke: (how) => this.#process === process && this.#fail(undefined, how),
      },
    )
    this.#process = process
    this.#watch = setInterval(() => setImmediate(() => this.#ping()), PING_MS).unref()
    for (const room of this.#rooms.values()) this.#load(room)
  }

  #load(room: RoomCalls): void {
    const { number, address, program } = room
    const late = () => this.#fail(room, `module ${program.module} does not load in time`)
    this.#loads.set(number, setTimeout(late, LOAD_MS).unref())
    const { module, options } = program
    this.#process?.tell({ type: 'attach', room: number, address, module, options })
  }

  #endLoad(room: number): boolean {
    clearTimeout(this.#loads.get(room))
    return this.#loads.delete(room)
  }

  #ping(): void {
    this.#faults = 0
    const now = this.#parts.uptime()
    if (this.#pingedAt === undefined) {
      this.#pingedAt = now
      this.#process?.tell({ type: 'ping' })
    } else if (now - this.#pingedAt > PONG_MS) {
      this.#fail(undefined, 'its process does not answer')
    }
  }

  #said(message: FromPrograms): void {
    switch (message.type) {
      case 'attached':
        return this.#attached(message.room, message.failed)
      case 'began':
        return this.#began(message.call)
      case 'ended':
        return this.#ended(message)
      case 'command':
        return this.#command(message.command, message.room, message.what)
      case 'pong':
        return this.#pong(message.external)
      case 'fault': {
        const room = message.room === undefined ? undefined : this.#rooms.get(message.room)
        if (++this.#faults <= FAULTS_MAX) this.tell(room, message.detail)
      }
    }
  }

  #attached(number: number, failed: string | undefined): void {
    const room = this.#rooms.get(number)
    // It may have been detached meanwhile.
    if (!room || !this.#endLoad(number)) return
    if (failed !== undefined) this.tell(room, failed)
    room.loaded(failed === undefined)
  }

  #began(number: number): void {
    const call = this.#calls.get(number)
    if (!call || call.budget) return this.#fail(undefined, 'it began what it was not asked')
    const { room } = call
    const { budgetMs } = room.program
    room.began()
    const late = () => {
      if (this.#calls.get(number) === call) this.#fail(room, `a call took over ${budgetMs} ms`)
    }
    // Its end may have come while the gateway itself was busy, and is read first.
    call.budget = setTimeout(() => setImmediate(late), budgetMs)
  }

  #ended({ call, refused, failed }: Extract<FromPrograms, { type: 'ended' }>): void {
    const pending = this.#calls.get(call)
    if (!pending?.budget) return this.#fail(undefined, 'it ended what it had not begun')
    clearTimeout(pending.budget)
    this.#calls.delete(call)
    if (failed !== undefined) this.tell(pending.room, failed)
    pending.room.ended(failed === undefined ? { refused } : 'failed')
    this.#renewIfIdle()
  }

  #pong(external: number): void {
    if (this.#pingedAt === undefined) return this.#fail(undefined, 'it answered what was not asked')
    this.#pingedAt = undefined
    const { memoryMb } = this.#parts.options
    if (external > memoryMb * 1_048_576) this.#fail(undefined, `over ${memoryMb} MiB of buffers`)
  }

  #command(command: number, number: number, what: Command): void {
    if (++this.#taken > COMMANDS_MAX) {
      return this.#fail(this.#rooms.get(number), 'it asks for more at once than it may')
    }
    const process = this.#process
    const answer = (answer: Answer) => {
      if (this.#answers.length === 0) setImmediate(() => this.#answer(process))
      this.#answers.push(answer)
    }
    const room = this.#rooms.get(number)
    if (room) return room.does(command, what, answer)
    answer({ command, error: { code: 'ROOM_UNKNOWN', detail: 'the room is no longer there' } })
  }

  #answer(process: ProgramProcess | undefined): void {
    const answers = this.#answers
    this.#answers = []
    this.#taken = 0
    if (process === this.#process) process?.tell({ type: 'answers', answers })
  }

  /** What was under way is lost, and a new process starts: at once, or after a while. */
  #fail(room: RoomCalls | undefined, detail: string): void {
    this.tell(room, detail)
    this.#parts.failed()
    const now = this.#parts.uptime()
    if (now - this.#failedAt > QUIET_MS) this.#failures = 0
    this.#failedAt = now
    const pauseMs = this.#failures === 0 ? 0 : PAUSE_MS * 2 ** (this.#failures - 1)
    this.#failures++
    this.#restart(Math.min(pauseMs, PAUSE_MS_MAX))
  }

  #renewIfIdle(): void {
    if (this.#stale && this.#calls.size === 0) this.#restart(0)
  }

  #restart(pauseMs: number): void {
    this.#stop()
    for (const room of this.#rooms.values()) room.lost(pauseMs === 0)
    if (pauseMs === 0) return this.#begin()
    this.#pause = setTimeout(() => this.#begin(), pauseMs).unref()
  }

  #begin(): void {
    this.#pause = undefined
    for (const room of this.#rooms.values()) room.begins()
    if (this.#rooms.size > 0) this.#start()
  }

  #stop(): void {
    clearInterval(this.#watch)
    for (const load of this.#loads.values()) clearTimeout(load)
    for (const { budget } of this.#calls.values()) clearTimeout(budget)
    this.#loads.clear()
    this.#calls.clear()
    this.#pingedAt = undefined
    this.#process?.end()
    this.#process = undefined
  }
}
