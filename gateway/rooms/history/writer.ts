/**
 * Group commit (R37): messages for durable rooms wait here, many of them and of many rooms are
 * stored in one transaction, and only then they have a position, are heard, and are told to be
 * stored. One batch is under way at a time; what comes meanwhile is the next one, so batches are as
 * large as the store is slow. A message is accepted once it is in the batch that is under way: who
 * waits for that sends no faster than the store takes.
 */
import { Step } from '@porthouse/proto/admin/v1/trail'
import { Code } from '@porthouse/proto/v1/code'
import { Distribution, SECONDS } from '../../observe/distribution.ts'
import type { Log } from '../../observe/log.ts'
import { Refusal } from '../../protocol/codes.ts'
import { deliver } from '../../router/deliver.ts'
import { refusedFor } from '../../router/destination.ts'
import { type Intake, ownOf, type WaitingMessage } from '../../router/intake.ts'
import type { Place } from '../../router/place.ts'
import type { Turn } from '../../router/turn.ts'
import { sizeOf } from '../../router/window.ts'
import type { Append, Histories, NewMessage } from '../../store/history.ts'
import { StoreError } from '../../store/store.ts'

export interface WriterOptions {
  /** What may wait in all, in bytes. */
  readonly queueBytes: number
  /** How long a sender waits for the store, in milliseconds. */
  readonly waitMs: number
  /** One transaction, whichever bound is met first. */
  readonly batchMessages: number
  readonly batchBytes: number
}

/** A durable room of this gateway, as it claimed it. */
export class Claim {
  readonly roomId: string
  readonly generation: number
  readonly place: Place
  /** Another gateway has claimed it since, or it is gone: nothing of it can be stored here. */
  lost = false
  /** Messages that wait, are under way, or are stored and not heard yet. */
  waiting = 0
  /** Position of the last one that is stored. */
  last: number
  #whenIdle: (() => void)[] = []

  constructor(roomId: string, generation: number, place: Place) {
    this.roomId = roomId
    this.generation = generation
    this.place = place
    this.last = place.sequence
  }

  /** Calls back, once, when none waits any more; at once where none does. */
  whenIdle(run: () => void): void {
    if (this.waiting === 0) run()
    else this.#whenIdle.push(run)
  }

  /** One waits no more. */
  leave(): void {
    if (--this.waiting > 0) return
    for (const run of this.#whenIdle.splice(0)) run()
  }
}

/** A message that waits for something; `since` in milliseconds that only rise. */
export interface Waiting {
  readonly message: WaitingMessage
  readonly bytes: number
  readonly since: number
}

interface Queued extends Waiting {
  readonly claim: Claim
  /** When its sender was told last that nothing is certain; at first, when it came. */
  told: number
}

interface ClaimAppend extends Append {
  readonly claim: Claim
}

interface Batch {
  readonly queued: readonly Queued[]
  readonly appends: readonly ClaimAppend[]
  /** Whether it happened is not known: it is tried with the same positions until it is. */
  doubtful: boolean
}

/** Of a UUID. */
const ID_BYTES = 16

const EXPIRE_MS = 100
/** Sizes of batches that are told apart. */
const BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 4_096]
const RETRY_MS_MIN = 50
const RETRY_MS_MAX = 1_000
const WAIT = 'setting history.waitMs'
const AWAY = new Refusal(Code.UNAVAILABLE, 'the store does not answer', WAIT)
const UNCERTAIN = new Refusal(Code.UNCERTAIN, 'the store has not answered yet', WAIT)
const QUEUE = 'setting history.queueBytes'
const FULL = new Refusal(Code.QUEUE_FULL, 'too many messages wait for the store', QUEUE)
const LOST = new Refusal(Code.UNAVAILABLE, 'the room is with another gateway')

export class HistoryWriter {
  readonly #histories: Histories
  readonly #turn: Turn
  readonly #uptime: () => number
  readonly #log: Log
  readonly #stopwatch: () => number
  readonly options: WriterOptions
  /** Of transactions that were stored: how long they took, and how many messages were in them. */
  readonly commits = new Distribution(SECONDS)
  readonly batches = new Distribution(BATCHES)
  /** In order. */
  readonly #queue: Queued[] = []
  #bytes = 0
  #batch: Batch | undefined
  #retryMs = RETRY_MS_MIN
  #scheduled = false
  #expiring: NodeJS.Timeout | undefined
  #whenIdle: (() => void)[] = []

  constructor(parts: {
    histories: Histories
    turn: Turn
    uptime: () => number
    /** Seconds, as exactly as they can be told. */
    stopwatch: () => number
    log: Log
    options: WriterOptions
  }) {
    this.#histories = parts.histories
    this.#turn = parts.turn
    this.#uptime = parts.uptime
    this.#stopwatch = parts.stopwatch
    this.#log = parts.log
    this.options = parts.options
  }

  /** What a durable room's messages have to pass. */
  intake(claim: Claim): Intake {
    return { step: Step.STORE, take: (message) => this.#take(claim, message) }
  }

  /** What waits for the store, or is on its way there. */
  *[Symbol.iterator](): IterableIterator<Waiting> {
    for (const queued of [this.#batch?.queued ?? [], this.#queue]) yield* queued
  }

  get messages(): number {
    return this.#queue.length + (this.#batch?.queued.length ?? 0)
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Resolves when nothing waits, or after so many milliseconds. */
  idle(withinMs: number): Promise<void> {
    if (this.#bytes === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const late = setTimeout(resolve, withinMs)
      this.#whenIdle.push(() => {
        clearTimeout(late)
        resolve()
      })
    })
  }

  #take(claim: Claim, message: WaitingMessage): void {
    if (claim.lost) return refuse(message, LOST)
    const bytes = sizeOf(message)
    if (this.#bytes + bytes > this.options.queueBytes) {
      return refuse(message, FULL)
    }
    message.leg?.waits(Step.STORE)
    const now = this.#uptime()
    this.#bytes += bytes
    claim.waiting++
    this.#queue.push({ claim, message, bytes, since: now, told: now })
    this.#expiring ??= setInterval(() => this.#expire(), EXPIRE_MS).unref()
    if (this.#batch || this.#scheduled) return
    // At the end of the turn, so that all that came in it is stored at once.
    this.#scheduled = true
    this.#turn.touch({
      flush: () => {
        this.#next()
        this.#accept()
      },
    })
  }

  #next(): void {
    this.#scheduled = false
    if (this.#batch) return
    if (this.#queue.length === 0) return
    const queued = this.#takeQueued()
    this.#batch = { queued, appends: appendsOf(queued), doubtful: false }
    void this.#store(this.#batch)
  }

  /** Those that are under way. */
  #accept(): void {
    for (const { message } of this.#batch?.queued ?? []) message.waiter.accept()
  }

  #rest(): void {
    clearInterval(this.#expiring)
    this.#expiring = undefined
    for (const run of this.#whenIdle.splice(0)) run()
  }

  #takeQueued(): Queued[] {
    const { batchMessages, batchBytes } = this.options
    let bytes = 0
    let count = 0
    for (const each of this.#queue) {
      bytes += each.bytes
      if (count > 0 && (count >= batchMessages || bytes > batchBytes)) break
      count++
    }
    return this.#queue.splice(0, count)
  }

  async #store(batch: Batch): Promise<void> {
    const since = this.#stopwatch()
    try {
      const lost = await this.#histories.append(batch.appends)
      this.commits.add(this.#stopwatch() - since)
      this.batches.add(batch.queued.length)
      this.#retryMs = RETRY_MS_MIN
      if (batch.doubtful) this.#log.info('the store answers again')
      this.#stored(batch, lost)
    } catch (error) {
      this.#failed(batch, error)
    }
  }

  #stored({ queued, appends }: Batch, lost: ReadonlySet<string>): void {
    for (const { claim, messages } of appends) {
      if (lost.has(claim.roomId)) claim.lost = true
      else claim.last += messages.length
    }
    this.#done(queued, ({ claim, message }) => {
      if (lost.has(claim.roomId)) return refuse(message, LOST)
      message.leg?.goesOn()
      const facts = deliver(claim.place, ownOf(message), message.sender, message.leg)
      const { id, sockets, sequence, epoch } = facts
      message.waiter.settle({ id, sockets, sequence, epoch, stored: true, kept: true })
    })
  }

  #failed(batch: Batch, error: unknown): void {
    // After a doubtful attempt no failure is certain: that one may yet happen.
    const certain = !batch.doubtful && error instanceof StoreError && error.certain
    if (!certain) {
      if (!batch.doubtful) this.#log.warn({ err: error }, 'the store does not answer')
      batch.doubtful = true
      setTimeout(() => void this.#store(batch), this.#retryMs)
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX)
      return
    }
    this.#log.warn({ err: error, messages: batch.queued.length }, 'messages are not stored')
    const refusal =
      error.failure === 'full' ? new Refusal(Code.STORE_FULL, 'the store is full') : AWAY
    this.#done(batch.queued, ({ message }) => refuse(message, refusal))
  }

  /** Tells what became of a batch while the store has the next one to work on. */
  #done(queued: readonly Queued[], tell: (each: Queued) => void): void {
    this.#batch = undefined
    this.#next()
    // At the end of the turn: at one time, and together with what else its senders are told.
    this.#turn.touch({
      flush: () => {
        this.#accept()
        for (const each of queued) {
          tell(each)
          this.#leave(each)
        }
        if (this.#bytes === 0) this.#rest()
      },
    })
  }

  #leave({ claim, bytes }: Queued): void {
    this.#bytes -= bytes
    claim.leave()
  }

  /** Nobody waits for long for a store that is away: its sender may try again. */
  #expire(): void {
    const since = this.#uptime() - this.options.waitMs
    for (const each of this.#batch?.queued ?? []) {
      if (each.told > since) continue
      each.told = this.#uptime()
      each.message.waiter.doubt(UNCERTAIN)
    }
    let count = 0
    while ((this.#queue[count]?.since ?? Number.POSITIVE_INFINITY) <= since) count++
    for (const each of this.#queue.splice(0, count)) {
      refuse(each.message, AWAY)
      this.#leave(each)
    }
    if (this.#bytes === 0) this.#rest()
  }
}

/** Gives each its position, without a gap: it is the next one when the batch before is stored. */
function appendsOf(queued: readonly Queued[]): ClaimAppend[] {
  const appends = new Map<Claim, NewMessage[]>()
  // A batch has few senders.
  const senders = new Map<Uint8Array, string>()
  for (const { claim, message } of queued) {
    const messages = appends.get(claim) ?? []
    if (messages.length === 0) appends.set(claim, messages)
    message.message.sequence = claim.last + messages.length + 1
    const { from } = message.message
    const known = senders.get(from)
    const sender = known ?? Buffer.from(from).toString()
    if (known === undefined) senders.set(from, sender)
    messages.push(newMessage(message, sender))
  }
  return [...appends].map(([claim, messages]) => {
    const { roomId, generation } = claim
    return { claim, roomId, generation, messages }
  })
}

function newMessage({ message, channel, body, key }: WaitingMessage, from: string): NewMessage {
  const { sequence, id, timeMs } = message
  const isAlone = id.bytes.length === ID_BYTES
  return {
    sequence,
    id: isAlone ? id.bytes : id.bytes.subarray(id.at, id.at + ID_BYTES),
    timeMs,
    from,
    channel,
    body: body.bytes,
    key,
  }
}

function refuse(message: WaitingMessage, refusal: Refusal): void {
  message.waiter.settle(refusedFor('', refusal))
}
