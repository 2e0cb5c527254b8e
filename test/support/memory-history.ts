/** What rooms keep, in memory, as store/history.ts has it; it can fail as a database can. */
import { matchesChannel } from '../../gateway/protocol/channel.ts'
import type {
  Append,
  CursorMove,
  Cursors,
  HeldCursor,
  Histories,
  HistoryHead,
  NewMessage,
  PageRange,
  RetainedValue,
  RetainedValues,
  RetentionBounds,
  StoredKey,
  StoredMessage,
  StoredPage,
  UnreadCount,
  UnreadQuery,
} from '../../gateway/store/history.ts'
import { StoreError } from '../../gateway/store/store.ts'

/** How an append fails: refused, without space, unanswered but done, unanswered and not done. */
export type AppendFault = 'certain' | 'full' | 'done' | 'undone'

/** What the store that they are part of knows: rejects while it is away, and which rooms it has. */
export interface Owner {
  answer(): Promise<void>
  hasRoom(roomId: string): boolean
}

interface History {
  epoch: number
  generation: number
  /** The first that is kept, and the last that was given. */
  first: number
  last: number
  messages: NewMessage[]
}

export class MemoryHistories implements Histories {
  syncs = true
  /** Of every append, until it is undefined again. */
  fault: AppendFault | undefined
  /** Positions that a page looks at, at most. */
  scanned = 10_000
  /** What each append was asked to store, those that failed among them. */
  readonly appends: (readonly Append[])[] = []
  readonly #owner: Owner
  readonly #histories = new Map<string, History>()
  #gate = Promise.resolve()

  constructor(owner: Owner) {
    this.#owner = owner
  }

  /** Appends wait until the function that it returns is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#gate = promise
    return resolve
  }

  async claim(roomId: string): Promise<HistoryHead> {
    await this.#owner.answer()
    if (!this.#owner.hasRoom(roomId)) throw new StoreError('missing', 'the room is unknown')
    const fresh = { epoch: 1, generation: 0, first: 1, last: 0, messages: [] }
    const history = this.#histories.get(roomId) ?? fresh
    this.#histories.set(roomId, history)
    history.generation++
    return headOf(history)
  }

  async head(roomId: string): Promise<HistoryHead | undefined> {
    await this.#owner.answer()
    const history = this.#find(roomId)
    return history && headOf(history)
  }

  async append(appends: readonly Append[]): Promise<ReadonlySet<string>> {
    this.appends.push(appends)
    const { fault } = this
    await this.#gate
    await this.#owner.answer()
    if (fault === 'certain') throw new StoreError('unavailable', 'it refused', undefined, true)
    if (fault === 'full') throw new StoreError('full', 'it has no space', undefined, true)
    if (fault === 'undone') throw new StoreError('unavailable', 'no answer')
    const refused = this.#append(appends)
    if (fault === 'done') throw new StoreError('unavailable', 'no answer')
    return refused
  }

  #append(appends: readonly Append[]): ReadonlySet<string> {
    const refused = appends.filter((each) => !this.#takes(each)).map(({ roomId }) => roomId)
    for (const { roomId, messages } of appends) {
      const history = this.#find(roomId)
      if (!history || refused.includes(roomId)) continue
      history.messages.push(...messages.filter(({ sequence }) => sequence > history.last))
      history.last = Math.max(history.last, messages.at(-1)?.sequence ?? 0)
    }
    return new Set(refused)
  }

  /** Whether it may be stored, or is. */
  #takes({ roomId, generation, messages }: Append): boolean {
    const history = this.#find(roomId)
    const [next] = messages
    if (!history || !next) return !next
    const isOwn = history.generation === generation
    if (isOwn && next.sequence === history.last + 1) return true
    const { first } = headOf(history)
    return messages.every(({ sequence, id }) => {
      if (isOwn && sequence < first) return true
      const found = history.messages[sequence - first]
      return found !== undefined && Buffer.compare(found.id, id) === 0
    })
  }

  async page(roomId: string, range: PageRange): Promise<StoredPage> {
    await this.#owner.answer()
    const head = this.peek(roomId) ?? { first: 1, last: 0 }
    const { after = 0, before = Infinity, from, limit, filters } = range
    const [low, high] = [Math.max(after + 1, head.first), Math.min(before - 1, head.last)]
    const isInWindow = ({ sequence }: StoredMessage) =>
      from === 'start' ? sequence < low + this.scanned : sequence > high - this.scanned
    const inRange = (this.#find(roomId)?.messages ?? []).filter(
      (message) =>
        message.sequence >= low &&
        message.sequence <= high &&
        isInWindow(message) &&
        matchesAny(filters, message.channel),
    )
    const messages: StoredMessage[] = []
    let bytes = 0
    for (const message of from === 'start' ? inRange : inRange.toReversed()) {
      bytes += message.body.length
      if (messages.length >= limit || (messages.length > 0 && bytes > range.bytes)) break
      const { key: _, ...stored } = message
      messages.push(stored)
    }
    const last = messages.at(-1)?.sequence
    const isCut = messages.length === limit || messages.length < inRange.length
    if (from === 'start') {
      const end = Math.min(high, low + this.scanned - 1)
      const through = isCut ? (last ?? end) : end
      return { messages, through, more: through < high }
    }
    const end = Math.max(low, high - this.scanned + 1)
    const through = isCut ? (last ?? end) : end
    return { messages: messages.reverse(), through, more: through > low }
  }

  async keys(roomId: string, sinceMs: number, limit: number): Promise<StoredKey[]> {
    await this.#owner.answer()
    const messages = this.#find(roomId)?.messages ?? []
    const keys = messages.flatMap(({ key, sequence, id, timeMs }) =>
      key && timeMs >= sinceMs ? [{ ...key, sequence, id, timeMs }] : [],
    )
    return limit > 0 ? keys.slice(-limit) : []
  }

  async trim(roomId: string, bounds: RetentionBounds, nowMs: number): Promise<HistoryHead> {
    await this.#owner.answer()
    const history = this.#the(roomId)
    const { messages = Infinity, bytes = Infinity, ageMs = Infinity } = bounds
    const kept = history.messages
    let left = bytesOf(history)
    const isBeyond = ({ timeMs }: StoredMessage) =>
      kept.length > messages || left > bytes || timeMs < nowMs - ageMs
    while (kept[0] && isBeyond(kept[0])) left -= kept.shift()!.body.length
    return headOf(history)
  }

  async purge(roomId: string): Promise<HistoryHead> {
    await this.#owner.answer()
    const history = this.#the(roomId)
    Object.assign(history, { epoch: history.epoch + 1, first: 1, last: 0, messages: [] })
    history.generation++
    return headOf(history)
  }

  /** Of a room whose history is kept, for what depends on it. */
  peek(roomId: string): HistoryHead | undefined {
    const history = this.#find(roomId)
    return history && headOf(history)
  }

  /** How many there are after this position that match one of the filters. */
  count(roomId: string, after: number, filters: readonly string[]): number {
    const messages = this.#find(roomId)?.messages ?? []
    return messages.filter(
      ({ sequence, channel }) => sequence > after && matchesAny(filters, channel),
    ).length
  }

  #find(roomId: string): History | undefined {
    return this.#owner.hasRoom(roomId) ? this.#histories.get(roomId) : undefined
  }

  #the(roomId: string): History {
    const history = this.#find(roomId)
    if (!history) throw new StoreError('missing', 'the room has no history')
    return history
  }
}

export class MemoryCursors implements Cursors {
  readonly #owner: Owner
  readonly #histories: MemoryHistories
  /** By room and holder, each with the epoch it was set in. */
  readonly #cursors = new Map<string, { epoch: number; sequence: number }>()

  constructor(owner: Owner, histories: MemoryHistories) {
    this.#owner = owner
    this.#histories = histories
  }

  async move(moves: readonly CursorMove[]): Promise<void> {
    await this.#owner.answer()
    for (const { roomId, holder, sequence } of moves) {
      const { epoch, last } = this.#histories.peek(roomId) ?? { epoch: 0, last: 0 }
      const furthest = Math.max(this.#of(roomId, holder), Math.min(sequence, last))
      this.#cursors.set(`${roomId}/${holder}`, { epoch, sequence: furthest })
    }
  }

  async find(roomId: string, holder: string): Promise<number> {
    await this.#owner.answer()
    return this.#of(roomId, holder)
  }

  /** Whose they are, it does not know: all are of tokens. */
  async list(
    roomId: string,
    { after = '', limit }: { after?: string | undefined; limit: number },
  ): Promise<HeldCursor[]> {
    await this.#owner.answer()
    const holders = [...this.#cursors.keys()]
      .filter((key) => key.startsWith(`${roomId}/`))
      .map((key) => key.slice(roomId.length + 1))
    return holders
      .filter((holder) => holder > after && this.#of(roomId, holder) > 0)
      .sort()
      .slice(0, limit)
      .map((holder) => ({ holder, sequence: this.#of(roomId, holder) }))
  }

  async unread(holder: string, rooms: readonly UnreadQuery[], max: number): Promise<UnreadCount[]> {
    await this.#owner.answer()
    return rooms.flatMap(({ roomId, filters }) => {
      const head = this.#histories.peek(roomId)
      if (!head) return []
      const cursor = this.#of(roomId, holder)
      const count = Math.min(max, this.#histories.count(roomId, cursor, filters))
      return [{ roomId, epoch: head.epoch, cursor, last: head.last, count }]
    })
  }

  #of(roomId: string, holder: string): number {
    const found = this.#cursors.get(`${roomId}/${holder}`)
    return found && found.epoch === this.#histories.peek(roomId)?.epoch ? found.sequence : 0
  }
}

export class MemoryRetained implements RetainedValues {
  readonly #owner: Owner
  readonly #values = new Map<string, Map<string, StoredMessage>>()

  constructor(owner: Owner) {
    this.#owner = owner
  }

  async load(roomId: string): Promise<StoredMessage[]> {
    await this.#owner.answer()
    return this.#owner.hasRoom(roomId) ? [...(this.#values.get(roomId)?.values() ?? [])] : []
  }

  async save(values: readonly RetainedValue[]): Promise<void> {
    await this.#owner.answer()
    for (const { roomId, channel, message } of values) {
      const ofRoom = this.#values.get(roomId) ?? new Map<string, StoredMessage>()
      this.#values.set(roomId, ofRoom)
      if (message) ofRoom.set(channel, message)
      else ofRoom.delete(channel)
    }
  }
}

function headOf(history: History): HistoryHead {
  const { epoch, generation, last, messages } = history
  const first = messages[0]?.sequence ?? last + 1
  return { epoch, generation, first, last, messages: messages.length, bytes: bytesOf(history) }
}

function bytesOf({ messages }: History): number {
  return messages.reduce((sum, { body }) => sum + body.length, 0)
}

function matchesAny(filters: readonly string[], channel: string): boolean {
  return filters.some((filter) => matchesChannel(filter, channel))
}
