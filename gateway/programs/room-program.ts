/**
 * One room's program, as an intake: messages, comings and goings are asked about one after another,
 * and go on, or are refused, in their order (R25).
 */
import { Step } from '@porthouse/proto/admin/v1/trail'
import { Code } from '@porthouse/proto/v1/code'
import type { ProgramConfig } from '../rooms/config.ts'
import type { Waiting } from '../rooms/history/writer.ts'
import type { ProgramActions, ProgrammedRoom, RoomProgram } from '../rooms/program.ts'
import { refused } from '../router/destination.ts'
import type { Intake, WaitingMessage } from '../router/intake.ts'
import type { Membership } from '../router/membership.ts'
import type { Place } from '../router/place.ts'
import type { AccountPrograms, ProgramOptions } from './account-programs.ts'
import { sentMessage } from './content.ts'
import { cut } from './cut.ts'
import type { Deeds } from './deeds.ts'
import { type Entry, Queue } from './queue.ts'
import type { Answer, Call, Command } from './wire.ts'

/** What a call came to; `refused` undefined: it may go on. */
export type CallEnd = { readonly refused: string | undefined } | 'failed'

/** A room as the account's process is asked about it. */
export interface RoomCalls {
  readonly number: number
  readonly address: string
  readonly program: ProgramConfig
  loaded(works: boolean): void
  began(): void
  ended(end: CallEnd): void
  /** The process is gone; `soon`: there is another at once. */
  lost(soon: boolean): void
  /** There will be another process. */
  begins(): void
  does(command: number, what: Command, answer: (answer: Answer) => void): void
}

export interface RoomProgramParts extends ProgrammedRoom {
  readonly number: number
  readonly next: Intake
  readonly programs: AccountPrograms
  readonly actions: ProgramActions
  readonly options: ProgramOptions
  readonly uptime: () => number
  readonly deedsOf: (members: ReadonlyMap<string, Membership>, next: () => Intake) => Deeds
}

const REASON_BYTES_MAX = 200

export class RoomProgramQueue implements RoomProgram, RoomCalls {
  readonly step = Step.PROGRAM
  readonly number: number
  readonly address: string
  readonly program: ProgramConfig
  readonly #place: Place
  readonly #parts: RoomProgramParts
  readonly #queue: Queue
  readonly #deeds: Deeds
  /** Those whose coming the program was told, or is being told, by address. */
  readonly #met = new Map<string, Membership>()
  /** Those who were in before this process began. */
  readonly #known = new WeakSet<Membership>()
  #next: Intake
  /** `loading`: what comes waits. `down`: it goes the way that the config says. */
  #state: 'loading' | 'ready' | 'down' = 'loading'
  #current: Entry | undefined
  #hasBegun = false
  #pumping = false
  #whenIdle: (() => void)[] = []
  #isAttached = false

  constructor(parts: RoomProgramParts) {
    const { options, programs, place, next } = parts
    this.#parts = parts
    this.number = parts.number
    this.program = parts.program
    this.#place = place
    this.#next = next
    this.address = place.address
    this.#queue = new Queue(options.queue, programs.allowance)
    this.#deeds = parts.deedsOf(this.#met, () => this.#next)
    for (const member of place.members) this.#known.add(member)
    this.#meetAgain()
    parts.programs.hold()
    if (place.members.size > 0) this.#attach()
  }

  take(waiting: WaitingMessage): void {
    const added = this.#queue.addMessage(waiting, this.#parts.uptime())
    waiting.leg?.waits(Step.PROGRAM)
    // It may not overtake those that wait, whatever the config says.
    if (!added) {
      const detail = 'too much waits for the program'
      return refuse(waiting, Code.PROGRAM_FAILED, detail, 'setting programs.queue')
    }
    waiting.waiter.accept()
    this.#attach()
    this.#pump()
  }

  joined(member: Membership): void {
    this.#attach()
    this.#queue.add({ kind: 'initial', member, again: false })
    // He is only just coming in, and may not be put out in the midst of that.
    setImmediate(() => this.#pump())
  }

  left(member: Membership): void {
    this.#parts.actions.left(member)
    // Of one whom a former process had met, this one knows nothing.
    if (this.#queue.forgetInitial(member)) return
    this.#queue.add({ kind: 'left', member })
    this.#pump()
  }

  get isBusy(): boolean {
    return this.#current !== undefined || this.#queue.size > 0
  }

  waiting(): Iterable<Waiting> {
    return this.#queue.messages()
  }

  whenIdle(run: () => void): void {
    if (this.isBusy) this.#whenIdle.push(run)
    else run()
  }

  passTo(next: Intake): void {
    this.#next = next
  }

  end(): void {
    this.whenIdle(() => {
      this.#parts.programs.detach(this)
      this.#parts.programs.release()
    })
  }

  loaded(works: boolean): void {
    this.#state = works ? 'ready' : 'down'
    this.#pump()
  }

  began(): void {
    this.#hasBegun = true
  }

  ended(end: CallEnd): void {
    const entry = this.#current
    this.#current = undefined
    this.#hasBegun = false
    if (entry) this.#settle(entry, end)
    this.#pump()
  }

  lost(soon: boolean): void {
    const entry = this.#current
    const hasBegun = this.#hasBegun
    this.#current = undefined
    this.#hasBegun = false
    this.#state = soon ? 'loading' : 'down'
    if (entry && hasBegun) this.#settle(entry, 'failed')
    else if (entry) this.#queue.addFirst([entry])
    if (soon) this.#meetAgain()
    else this.#pump()
  }

  begins(): void {
    if (this.#state !== 'down') return
    this.#state = 'loading'
    this.#meetAgain()
  }

  does(command: number, what: Command, answer: (answer: Answer) => void): void {
    this.#deeds.run(command, what, answer)
  }

  /** Who only looks at a room's config needs no process. */
  #attach(): void {
    if (this.#isAttached) return
    this.#isAttached = true
    this.#parts.programs.attach(this)
  }

  /** A new process knows nobody: it is told first who is here. */
  #meetAgain(): void {
    this.#met.clear()
    const { awaited } = this.#queue
    const here = [...this.#place.members].filter((member) => !awaited.has(member))
    this.#queue.addFirst(
      here.map((member) => ({ kind: 'initial', member, again: this.#known.has(member) })),
    )
  }

  /** Asks about what is next, until an answer has to be waited for. */
  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    while (!this.#current && this.#state !== 'loading') {
      const entry = this.#queue.shift()
      if (!entry) break
      if (this.#state === 'down' || this.#isLate(entry)) this.#settle(entry, 'failed')
      else if (this.#isPointless(entry)) continue
      else if (this.#parts.programs.call(this, this.#callOf(entry))) this.#current = entry
      else {
        this.#queue.addFirst([entry])
        break
      }
    }
    this.#pumping = false
    if (!this.isBusy) for (const run of this.#whenIdle.splice(0)) run()
  }

  /** The program has never heard of him. */
  #isPointless(entry: Entry): boolean {
    return entry.kind === 'left' && !this.#met.has(addressOf(entry.member))
  }

  #isLate(entry: Entry): boolean {
    const { options, uptime } = this.#parts
    return entry.kind === 'message' && uptime() - entry.since > options.waitMs
  }

  #callOf(entry: Entry): Call {
    if (entry.kind === 'message') {
      const { waiting } = entry
      const socket = addressOf(waiting.sender)
      return { hook: 'message', socket, message: sentMessage(waiting) }
    }
    const { member } = entry
    const address = addressOf(member)
    if (entry.kind === 'left') {
      this.#met.delete(address)
      return { hook: 'left', socket: address }
    }
    this.#met.set(address, member)
    const identities = [...new Set(member.senders.map(({ actor }) => actor.address))]
    return { hook: 'initial', socket: { address, identities, again: entry.again } }
  }

  #settle(entry: Entry, end: CallEnd): void {
    const isFailed = end === 'failed'
    const reason = isFailed ? undefined : end.refused
    const passes = isFailed ? this.program.otherwise === 'pass' : reason === undefined
    const code = isFailed ? Code.PROGRAM_FAILED : Code.PROGRAM_REFUSED
    const detail = isFailed
      ? "the room's program failed"
      : cut(reason || "the room's program", REASON_BYTES_MAX)
    if (entry.kind === 'message') {
      if (passes) {
        entry.waiting.leg?.goesOn()
        this.#next.take(entry.waiting)
      } else
        refuse(
          entry.waiting,
          code,
          detail,
          this.#place.line('program', isFailed ? 'otherwise' : 'module'),
        )
    } else if (entry.kind === 'initial') {
      const { member } = entry
      // Who was in already stays, whatever has become of the program.
      if (passes || (isFailed && entry.again)) this.#known.add(member)
      else if (this.#place.members.has(member)) this.#parts.actions.expel(member, code, detail)
    }
  }
}

function addressOf({ socket }: Membership): string {
  return `socket:${socket.id}`
}

function refuse(waiting: WaitingMessage, code: Code, detail: string, decidedBy: string): void {
  waiting.waiter.settle(refused('', code, detail, decidedBy))
}
