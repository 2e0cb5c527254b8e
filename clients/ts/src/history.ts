import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Envelope } from '@porthouse/proto/v1/envelope'
import type { Fetched, FetchSchema } from '@porthouse/proto/v1/room'
import { splitRoom } from './address.ts'
import { PorthouseError } from './error.ts'
import { heldBytes, type Message, readMessage, stampOf } from './message.ts'
import { leadsNowhere } from './pages.ts'
import { type Position, positionOf } from './position.ts'
import { asFrame, type Question } from './queue.ts'

type Point = Position | bigint | number

/** One of four ranges; none: the last messages of all. */
export interface FetchOptions {
  /** The first ones after it, not itself. */
  after?: Point | undefined
  /** The last ones before it, not itself. */
  before?: Point | undefined
  /** Half of them up to it, itself among them, half after it. */
  around?: Point | undefined
  /** Both ends included. */
  between?: readonly [Point, Point] | undefined
  /** Messages wanted, 1 to 1,000, default 100; fewer come where they are large. */
  limit?: number | undefined
  signal?: AbortSignal | undefined
}

/** A part of a room's history. */
export interface Page {
  /** In the order of positions. */
  readonly messages: readonly Message[]
  readonly epoch: bigint
  /** Whether there are earlier ones, and later ones. */
  readonly moreBefore: boolean
  readonly moreAfter: boolean
  /** First and last position that the room keeps; the first is the last + 1 where it keeps none. */
  readonly first: bigint
  readonly last: bigint
}

export interface HistoryOptions {
  /** Where to begin, that message not included. Default: the end that `order` begins at. */
  from?: 'start' | 'end' | Point | undefined
  /** Default `forward`, to later ones. */
  order?: 'forward' | 'backward' | undefined
  /** Messages to ask for at a time, 1 to 1,000, default 100. */
  limit?: number | undefined
  signal?: AbortSignal | undefined
}

// No page of a gateway comes near it.
const PAGE_BYTES_MAX = 64 * 2 ** 20
const PAGE_MESSAGES_MAX = 1000

/** Asks for a page of what an address holds. */
export function fetchQuestion(address: string, options: FetchOptions): Question<Page> {
  const fetch = { address, range: rangeOf(options), limit: options.limit ?? 0 }
  const { room } = splitRoom(address)
  let envelopes: Envelope[] = []
  let bytes = 0
  const frame = asFrame({
    case: 'room',
    value: { action: { case: 'fetch', value: fetch } },
  })
  return {
    bytes: address.length + 128,
    repeatable: true,
    encode(id) {
      // Asked again on another connection, it is answered from the start.
      envelopes = []
      bytes = 0
      return frame(id)
    },
    part(envelope) {
      bytes += heldBytes(envelope)
      if (envelopes.length === PAGE_MESSAGES_MAX || bytes > PAGE_BYTES_MAX) {
        throw new PorthouseError('FRAME_NOT_ALLOWED', { detail: 'A page beyond all measure' })
      }
      envelopes.push(envelope)
    },
    read(answer) {
      if (answer.case !== 'room' || answer.value.action.case !== 'fetched') return undefined
      return readPage(answer.value.action.value, envelopes, room)
    },
  }
}

/** All messages in one direction, a page at a time as the loop needs it. */
export async function* history(
  fetch: (options: FetchOptions) => Promise<Page>,
  { order = 'forward', from, limit, signal }: HistoryOptions,
): AsyncGenerator<Message, void> {
  const forward = order === 'forward'
  let point = from ?? (forward ? 'start' : 'end')
  for (;;) {
    const range = rangeFrom(point, forward)
    if (!range) return
    const page = await fetch({ ...range, limit, signal })
    const messages = forward ? page.messages : page.messages.toReversed()
    yield* messages
    if (!(forward ? page.moreAfter : page.moreBefore)) return
    const last = messages.at(-1)
    if (!last) return
    if (!leadsOn(point, last, forward)) throw leadsNowhere()
    point = { epoch: last.epoch, sequence: last.sequence }
  }
}

/** Whether a page that ends there is another one than that from the point on. */
function leadsOn(point: 'start' | 'end' | Point, { sequence }: Message, forward: boolean): boolean {
  if (typeof point === 'string') return true
  const before = positionOf(point).sequence
  return forward ? sequence > before : sequence < before
}

/** Undefined: nothing lies that way. */
function rangeFrom(point: 'start' | 'end' | Point, forward: boolean): FetchOptions | undefined {
  if (point === 'start') return forward ? { after: 0 } : undefined
  if (point === 'end') return forward ? undefined : {}
  return forward ? { after: point } : { before: point }
}

type Range = NonNullable<MessageInitShape<typeof FetchSchema>['range']>

function rangeOf({ after, before, around, between }: FetchOptions): Range {
  const given = [after, before, around, between].filter((range) => range !== undefined)
  if (given.length > 1) throw new TypeError('one of after, before, around and between')
  if (after !== undefined) return { case: 'after', value: positionOf(after) }
  if (around !== undefined) return { case: 'around', value: positionOf(around) }
  if (between === undefined)
    return { case: 'before', value: before === undefined ? {} : positionOf(before) }
  const [first, last] = between.map(positionOf) as [Required<Position>, Required<Position>]
  const value = { epoch: first.epoch, fromSequence: first.sequence, toSequence: last.sequence }
  return { case: 'between', value }
}

function readPage(fetched: Fetched, envelopes: readonly Envelope[], room: string): Page {
  const { epoch, moreBefore, moreAfter, firstSequence, lastSequence } = fetched
  return {
    messages: envelopes.map((envelope) =>
      readMessage(envelope, stampOf(envelope), { address: room, epoch }),
    ),
    epoch,
    moreBefore,
    moreAfter,
    first: firstSequence,
    last: lastSequence,
  }
}
