/** Hears everything of a room from where it began, over however many connections. */
import type { Envelope } from '@porthouse/proto/v1/envelope'
import type { Frame } from '@porthouse/proto/v1/frame'
import type { Joined, Lost } from '@porthouse/proto/v1/room'
import { codeInfo } from '../../../gateway/protocol/codes.ts'
import type { FrameInit } from '../../support/client-frames.ts'
import { type Heard, type Hearing, isBefore, type Journal, type Position } from '../journal.ts'
import { Line, OWN_IDS, type Way } from './line.ts'

export interface SubscriberOptions {
  readonly way: Way
  readonly journal: Journal
  readonly room: string
  readonly name: string
}

/** What a message says of itself; `at` is its sender's performance.now(). */
export interface Said {
  readonly publisher: string
  readonly seq: number
  readonly at: number
}

type Event = Position & Said

export class Subscriber {
  readonly line: Line
  /** Messages by what they were: live, or replayed at a join. */
  readonly came = { live: 0, replayed: 0 }
  readonly #options: SubscriberOptions
  readonly #waiters = new Set<(event: Event | undefined) => boolean>()
  #hearing: Hearing | undefined
  #last: Position | undefined
  #id = OWN_IDS + 1
  #isLive = false

  constructor(options: SubscriberOptions) {
    this.#options = options
    this.line = new Line(options.way, {
      enter: () => [this.#join()],
      take: (frame) => this.#take(frame),
      lost: () => {
        this.#isLive = false
      },
    })
  }

  get name(): string {
    return this.#options.name
  }

  get room(): string {
    return this.#options.room
  }

  /** Heard last; undefined before the first join. */
  get last(): Position | undefined {
    return this.#last
  }

  /** Resolves with the first message for which this holds, from now on. */
  async hears(wanted: (event: Event) => boolean): Promise<Event> {
    return new Promise((resolve) => {
      this.#waiters.add((event) => {
        if (!event || !wanted(event)) return false
        resolve(event)
        return true
      })
    })
  }

  /** Resolves when it has joined, and all that it missed has come. */
  async live(): Promise<void> {
    if (!this.#isLive) await this.#until(() => this.#isLive)
  }

  /** Resolves when it has heard up to a position. */
  async reaches(position: Position): Promise<void> {
    await this.#until(() => this.#last !== undefined && !isBefore(this.#last, position))
  }

  close(): Promise<void> {
    return this.line.close()
  }

  async #until(holds: () => boolean): Promise<void> {
    if (holds()) return
    await new Promise<void>((resolve) => {
      this.#waiters.add(() => {
        if (!holds()) return false
        resolve()
        return true
      })
    })
  }

  #wake(event?: Event): void {
    for (const waiter of this.#waiters) if (waiter(event)) this.#waiters.delete(waiter)
  }

  #join(): FrameInit {
    const address = `room:${this.#options.room}`
    const last = this.#last
    const after = last && { epoch: BigInt(last.epoch), sequence: BigInt(last.sequence) }
    const value = { address, ...(after && { backlog: { case: 'after' as const, value: after } }) }
    const body = { case: 'room', value: { action: { case: 'join', value } } }
    return { id: this.#id++, body } as FrameInit
  }

  #take({ body }: Frame): void {
    if (body.case === 'envelope') return this.#message(body.value)
    if (body.case !== 'room') return
    const { action } = body.value
    if (action.case === 'joined') this.#joined(action.value)
    if (action.case === 'lost') this.#lost(action.value)
    if (action.case === 'caughtUp') {
      this.#isLive = true
      this.#wake()
    }
  }

  #joined({ epoch, sequence, backlog }: Joined): void {
    const now = { epoch: Number(epoch), sequence: Number(sequence) }
    const { name, room, journal } = this.#options
    if (!this.#hearing || !this.#last) {
      this.#hearing = { subscriber: name, room, began: now, heard: [] }
      journal.hearings.push(this.#hearing)
      this.#last = now
      this.#isLive = true
    } else if (!backlog) {
      journal.odd.push(`${name} asked for what it missed, and Joined says nothing of it`)
    } else if (!backlog.recovered) {
      const upTo = { epoch: now.epoch, sequence: Number(backlog.afterSequence) }
      this.#note({ kind: 'notice', after: this.#last, upTo, code: codeInfo(backlog.code).name })
    }
    this.#wake()
  }

  #lost({ fromSequence, toSequence, code }: Lost): void {
    const epoch = this.#last!.epoch
    const after = { epoch, sequence: Number(fromSequence) - 1 }
    const upTo = { epoch, sequence: Number(toSequence) }
    this.#note({ kind: 'notice', after, upTo, code: codeInfo(code).name })
  }

  #note(event: Heard): void {
    this.#hearing?.heard.push(event)
  }

  #message({ stamp, content }: Envelope): void {
    const { publisher, seq, at } = read(content)
    // An absent epoch is the one that Joined told.
    const epoch = Number(stamp?.epoch ?? 0n) || this.#last!.epoch
    const position = { epoch, sequence: Number(stamp?.sequence) }
    this.#note({ kind: 'message', publisher, seq, ...position })
    this.#last = position
    if (stamp?.replay) this.came.replayed++
    else this.came.live++
    this.#wake({ publisher, seq, at, ...position })
  }
}

/** Of a message that a Publisher, or an MqttPublisher, has sent. */
export function read(content: Envelope['content']): Said {
  const { case: kind, value } = content
  const text = kind === 'payload' ? Buffer.from(value).toString() : kind === 'text' ? value : ''
  const [publisher = '', seq, at] = text.split(':')
  return { publisher, seq: Number(seq), at: Number(at) }
}
