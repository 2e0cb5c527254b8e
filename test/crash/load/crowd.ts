/** Publishers and durable subscribers in some rooms, until all is told and judged. */
import { onTestFailed } from 'vitest'
import { Journal } from '../journal.ts'
import { judge, type Verdict } from '../oracle.ts'
import type { House } from './house.ts'
import { Publisher } from './publisher.ts'
import { readHistory } from './reader.ts'
import { Subscriber } from './subscriber.ts'

export interface CrowdOptions {
  readonly house: House
  /** Slugs of durable rooms of account acme. */
  readonly rooms: readonly string[]
  /** Of all publishers together. */
  readonly perSecond: number
  /** Of each room; 2 where absent. The first of them sends under idempotency keys. */
  readonly publishers?: number
  /** Of each room; 2 where absent. */
  readonly subscribers?: number
  /** Of each message, about. */
  readonly bytes?: number
}

let crowds = 0

export class Crowd {
  readonly journal = new Journal()
  readonly publishers: Publisher[] = []
  readonly subscribers: Subscriber[] = []
  /** Keys of one crowd are not those of another. */
  readonly #number = ++crowds
  readonly #house: House
  readonly #rooms: readonly string[]

  /** Resolves when every subscriber hears its room, and the publishers send. */
  static async gather(options: CrowdOptions): Promise<Crowd> {
    const crowd = new Crowd(options)
    onTestFailed(() => void process.stdout.write(`${crowd.describe()}\n`))
    await crowd.live()
    const { house, rooms, perSecond, publishers = 2, bytes = 120 } = options
    for (const [room, name, i] of crowd.#each(rooms, publishers, 'p')) {
      crowd.publishers.push(
        new Publisher({
          way: house.way,
          journal: crowd.journal,
          room,
          name,
          perSecond: perSecond / rooms.length / publishers,
          keyed: i === 0,
          bytes,
        }),
      )
    }
    return crowd
  }

  private constructor({ house, rooms, subscribers = 2 }: CrowdOptions) {
    this.#house = house
    this.#rooms = rooms.map((slug) => `acme/${slug}`)
    for (const [room, name] of this.#each(rooms, subscribers, 's')) {
      const { way } = house
      this.subscribers.push(new Subscriber({ way, journal: this.journal, room, name }))
    }
  }

  *#each(rooms: readonly string[], count: number, prefix: string) {
    for (const slug of rooms) {
      for (let i = 0; i < count; i++)
        yield [`acme/${slug}`, `${prefix}${this.#number}-${slug}-${i}`, i] as const
    }
  }

  /** Resolves when every subscriber has caught up. */
  async live(): Promise<void> {
    await Promise.all(this.subscribers.map((one) => one.live()))
  }

  /** Resolves with now, when every subscriber has heard one that was sent after that. */
  async hearsAfter(at: number): Promise<number> {
    await Promise.all(this.subscribers.map((one) => one.hears((event) => event.at > at)))
    return performance.now()
  }

  /** Resolves with now, when every subscriber has heard what was sent after this was called. */
  stores(): Promise<number> {
    return this.hearsAfter(performance.now())
  }

  /** Whether anything was sent in the last 100 ms. */
  get isSending(): boolean {
    return performance.now() - (this.journal.sent.at(-1)?.at ?? 0) < 100
  }

  /** When every answer has come and every subscriber has heard all: what is to be said of it. */
  async judge(): Promise<Verdict> {
    await Promise.all(this.publishers.map((one) => one.settle()))
    for (const room of this.#rooms) {
      const began = this.journal.hearings.filter((one) => one.room === room)
      const after = Math.min(...began.map((one) => one.began.sequence))
      this.journal.kept.push(await readHistory(this.#house.way, room, after))
    }
    for (const { room, messages } of this.journal.kept) {
      const last = messages.at(-1)
      const here = this.subscribers.filter((one) => one.room === room)
      if (last) await Promise.all(here.map((one) => one.reaches(last)))
    }
    await this.leave()
    return judge(this.journal)
  }

  async leave(): Promise<void> {
    await Promise.all([...this.publishers, ...this.subscribers].map((one) => one.close()))
  }

  /** Where everybody stands, for whoever looks for what went wrong. */
  describe(): string {
    const publishers = this.publishers.map((one) => {
      const { acks, refusals, waiting, line } = one
      const told = `${acks.length} stored, ${refusals.length} refused, ${waiting} wait`
      return `${told}; ${line.describe()}`
    })
    const subscribers = this.subscribers.slice(0, 20).map(({ name, last, came, line }) => {
      const at = last ? `${last.epoch}/${last.sequence}` : 'nowhere'
      return `${name} at ${at}, ${came.live} live, ${came.replayed} replayed; ${line.describe()}`
    })
    const odd = this.journal.odd.slice(0, 5)
    return [...publishers, ...subscribers, ...odd, `gateway: ${this.#house.log}`].join('\n')
  }

  /** What goes into a report. */
  figures(verdict: Verdict): Record<string, number> {
    const { sent, hearings } = this.journal
    return {
      sent: sent.length,
      stored: sent.filter(({ stored }) => stored).length,
      refused: sent.filter(({ refused }) => refused).length,
      unanswered: sent.filter(({ answers }) => answers.length === 0).length,
      heard: hearings.reduce((sum, { heard }) => sum + heard.length, 0),
      lost: verdict.count('lost') + verdict.count('gap'),
      doubled: verdict.count('doubled'),
      reordered: verdict.count('reordered'),
    }
  }
}
