/** What of rooms is kept: of the database, and of the memory that stands for it in tests. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { matchesChannel } from '../../gateway/protocol/channel.ts'
import type {
  Append,
  Cursors,
  Histories,
  NewMessage,
  PageRange,
  RetainedValues,
} from '../../gateway/store/history.ts'

/** A store with rooms of the test's own. */
export interface Rooms {
  readonly histories: Histories
  readonly cursors: Cursors
  readonly retained: RetainedValues
  /** UUID of a new room. */
  newRoom(): Promise<string>
  deleteRoom(roomId: string): Promise<void>
}

export function message(sequence: number, rest: Partial<NewMessage> = {}): NewMessage {
  return {
    sequence,
    id: randomBytes(16),
    timeMs: 1_750_000_000_000 + sequence,
    from: 'client:acme/ann',
    channel: '',
    body: Buffer.from(`message ${sequence}`),
    ...rest,
  }
}

/** Messages from `first` to `last`. */
export function messages(first: number, last: number, rest: Partial<NewMessage> = {}) {
  return Array.from({ length: last - first + 1 }, (_, i) => message(first + i, rest))
}

export function keyOf(text: string) {
  const hash = (of: string) => createHash('sha256').update(of).digest()
  return { scope: hash(`scope ${text}`), body: hash(text) }
}

export const all: PageRange = { from: 'start', limit: 1_000, bytes: 1e9, filters: [''] }

/** What tests do with rooms. */
class Keeper {
  readonly #rooms: () => Rooms

  constructor(rooms: () => Rooms) {
    this.#rooms = rooms
  }

  get rooms(): Rooms {
    return this.#rooms()
  }

  get histories(): Histories {
    return this.rooms.histories
  }

  /** A room, claimed, with these messages. */
  async filled(...stored: NewMessage[]): Promise<{ roomId: string; generation: number }> {
    const roomId = await this.rooms.newRoom()
    const { generation } = await this.histories.claim(roomId)
    await this.store({ roomId, generation, messages: stored })
    return { roomId, generation }
  }

  async store(...appends: Append[]): Promise<void> {
    expect(await this.histories.append(appends)).toEqual(new Set())
  }

  async sequences(roomId: string, range: Partial<PageRange> = {}): Promise<number[]> {
    const { messages: page } = await this.histories.page(roomId, { ...all, ...range })
    return page.map(({ sequence }) => sequence)
  }
}

export function historiesSuite(rooms: () => Rooms): void {
  const keeper = new Keeper(rooms)
  describe('a history', () => {
    appendSuite(keeper)
    claimSuite(keeper)
    pageSuite(keeper)
    filterSuite(keeper)
    boundsSuite(keeper)
  })
  describe('cursors', () => cursorsSuite(keeper))
  describe('retained values', () => retainedSuite(keeper))
}

function appendSuite(keeper: Keeper): void {
  test('gives back what it was given', async () => {
    const plain = message(1)
    const { key: _, ...expected } = message(2, { channel: 'a/b', key: keyOf('k'), id: plain.id })
    const keyed = { ...expected, key: keyOf('k') }
    const { roomId } = await keeper.filled(plain, keyed)
    const whole = { messages: [plain, expected], through: 2, more: false }
    expect(await keeper.histories.page(roomId, all)).toEqual(whole)
    expect(await keeper.histories.head(roomId)).toMatchObject({ first: 1, last: 2, messages: 2 })
  })

  test('of many rooms is stored at once', async () => {
    const [one, other] = [await keeper.filled(message(1)), await keeper.filled()]
    await keeper.store({ ...one, messages: messages(2, 5) }, { ...other, messages: messages(1, 3) })
    expect(await keeper.sequences(one.roomId)).toEqual([1, 2, 3, 4, 5])
    expect(await keeper.sequences(other.roomId)).toEqual([1, 2, 3])
  })

  test('takes the same again once', async () => {
    const first = messages(1, 3)
    const { roomId, generation } = await keeper.filled(...first)
    const head = await keeper.histories.head(roomId)
    await keeper.store({ roomId, generation, messages: first })
    expect(await keeper.histories.head(roomId)).toEqual(head)
    expect(await keeper.sequences(roomId)).toEqual([1, 2, 3])
  })

  test('knows what it had, also where it is kept no more or claimed by another', async () => {
    const stored = messages(1, 3)
    const { roomId, generation } = await keeper.filled(...stored)
    await keeper.histories.trim(roomId, { messages: 2 }, 0)
    await keeper.store({ roomId, generation, messages: stored })
    await keeper.histories.claim(roomId)
    await keeper.store({ roomId, generation, messages: stored.slice(1) })
    // What is kept no more may have been of another, who took its position.
    const again = keeper.histories.append([{ roomId, generation, messages: stored }])
    expect(await again).toEqual(new Set([roomId]))
  })

  test('gives no position twice, and leaves none out', async () => {
    const { roomId, generation } = await keeper.filled(message(1), message(2))
    const other = await keeper.filled()
    for (const [i, wrong] of [messages(2, 3), messages(1, 2), messages(4, 5)].entries()) {
      const refused = await keeper.histories.append([
        { roomId, generation, messages: wrong },
        { ...other, messages: [message(i + 1)] },
      ])
      expect(refused).toEqual(new Set([roomId]))
    }
    expect(await keeper.sequences(roomId)).toEqual([1, 2])
    expect(await keeper.sequences(other.roomId)).toEqual([1, 2, 3])
  })
}

function claimSuite(keeper: Keeper): void {
  test('is made by whoever claims it', async () => {
    const roomId = await keeper.rooms.newRoom()
    expect(await keeper.histories.head(roomId)).toBeUndefined()
    const head = await keeper.histories.claim(roomId)
    expect(head).toMatchObject({ first: 1, last: 0, messages: 0, bytes: 0 })
    expect(await keeper.histories.head(roomId)).toEqual(head)
    const nowhere = keeper.histories.claim(randomUUID())
    await expect(nowhere).rejects.toMatchObject({ failure: 'missing' })
  })

  test('is added to by its last claimer alone', async () => {
    const { roomId, generation } = await keeper.filled(message(1))
    const other = await keeper.filled()
    const claim = await keeper.histories.claim(roomId)
    expect(claim.generation).toBeGreaterThan(generation)
    const refused = await keeper.histories.append([
      { roomId, generation, messages: [message(2)] },
      { ...other, messages: [message(1)] },
    ])
    expect(refused).toEqual(new Set([roomId]))
    expect(await keeper.sequences(other.roomId)).toEqual([1])
    await keeper.store({ roomId, generation: claim.generation, messages: [message(2)] })
    expect(await keeper.sequences(roomId)).toEqual([1, 2])
  })

  test('goes with its room', async () => {
    const { roomId, generation } = await keeper.filled(message(1))
    await keeper.rooms.deleteRoom(roomId)
    expect(await keeper.histories.head(roomId)).toBeUndefined()
    expect(await keeper.sequences(roomId)).toEqual([])
    const late = { roomId, generation, messages: [message(2)] }
    expect(await keeper.histories.append([late])).toEqual(new Set([roomId]))
  })
}

function pageSuite(keeper: Keeper): void {
  test('is read in pages from either end', async () => {
    const { roomId } = await keeper.filled(...messages(1, 10, { body: Buffer.alloc(10) }))
    expect(await keeper.sequences(roomId, { after: 3, limit: 3 })).toEqual([4, 5, 6])
    expect(await keeper.sequences(roomId, { from: 'end', limit: 3 })).toEqual([8, 9, 10])
    expect(await keeper.sequences(roomId, { from: 'end', before: 4, limit: 2 })).toEqual([2, 3])
    expect(await keeper.sequences(roomId, { after: 3, before: 6 })).toEqual([4, 5])
    expect(await keeper.sequences(roomId, { bytes: 25 })).toEqual([1, 2])
    expect(await keeper.sequences(roomId, { from: 'end', bytes: 5 })).toEqual([10])
    expect(await keeper.sequences(roomId, { after: 10 })).toEqual([])
  })

  test('says how far a page goes', async () => {
    const { roomId } = await keeper.filled(...messages(1, 10))
    const page = async (range: Partial<PageRange>) => {
      const { through, more } = await keeper.histories.page(roomId, { ...all, ...range })
      return { through, more }
    }
    expect(await page({})).toEqual({ through: 10, more: false })
    expect(await page({ limit: 4 })).toEqual({ through: 4, more: true })
    expect(await page({ limit: 4, after: 6 })).toEqual({ through: 10, more: false })
    expect(await page({ after: 10 })).toEqual({ through: 10, more: false })
    expect(await page({ from: 'end' })).toEqual({ through: 1, more: false })
    expect(await page({ from: 'end', limit: 4 })).toEqual({ through: 7, more: true })
    expect(await page({ from: 'end', before: 5, limit: 4 })).toEqual({ through: 1, more: false })
    expect(await page({ before: 5, filters: ['none'] })).toEqual({ through: 4, more: false })
    expect(await page({ bytes: 0 })).toEqual({ through: 1, more: true })
  })
}

function filterSuite(keeper: Keeper): void {
  test('is read by channel', async () => {
    const channels = ['', 'a', 'a/b', 'a/b/c', 'b', 'a.b', 'A', 'ä/b', 'a b/"c\\']
    const { roomId } = await keeper.filled(
      ...channels.map((channel, i) => message(i + 1, { channel })),
    )
    const filters = ['', '*', '**', 'a', 'a/*', 'a/**', '*/b', 'a.b', 'a b/"c\\', 'ä/*', 'none']
    for (const filter of filters) {
      const expected = channels.flatMap((channel, i) =>
        matchesChannel(filter, channel) ? [i + 1] : [],
      )
      expect(await keeper.sequences(roomId, { filters: [filter] }), filter).toEqual(expected)
    }
    expect(await keeper.sequences(roomId, { filters: ['b', 'a/*'] })).toEqual([3, 5])
    expect(await keeper.sequences(roomId, { filters: [] })).toEqual([])
  })

  test('is looked through for a rare channel a part at a time', async () => {
    const rare = message(1, { channel: 'rare' })
    const common = messages(2, 10_001, { channel: 'common' })
    const { roomId } = await keeper.filled(rare, ...common, message(10_002, { channel: 'rare' }))
    const page = (range: Partial<PageRange>) =>
      keeper.histories.page(roomId, { ...all, filters: ['rare'], ...range })
    const first = await page({})
    expect(first).toMatchObject({ messages: [{ sequence: 1 }], through: 10_000, more: true })
    const second = await page({ after: first.through })
    expect(second).toMatchObject({ messages: [{ sequence: 10_002 }], through: 10_002, more: false })
    const last = await page({ from: 'end' })
    expect(last).toMatchObject({ messages: [{ sequence: 10_002 }], through: 3, more: true })
    const before = await page({ from: 'end', before: last.through })
    expect(before).toMatchObject({ messages: [{ sequence: 1 }], through: 1, more: false })
  })

  test('tells the keys of a time, the latest if they are too many', async () => {
    const stored = [1, 2, 3, 4].map((sequence) =>
      message(sequence, sequence === 2 ? {} : { key: keyOf(`${sequence}`) }),
    )
    const { roomId } = await keeper.filled(...stored)
    const keys = async (since: number, limit: number) =>
      keeper.histories.keys(roomId, message(since).timeMs, limit)
    expect((await keys(1, 10)).map(({ sequence }) => sequence)).toEqual([1, 3, 4])
    expect((await keys(1, 2)).map(({ sequence }) => sequence)).toEqual([3, 4])
    const { id, timeMs } = stored[3]!
    expect(await keys(4, 10)).toEqual([{ ...keyOf('4'), sequence: 4, id, timeMs }])
  })
}

function boundsSuite(keeper: Keeper): void {
  test.each([
    [{ messages: 3 }, 8, 3],
    [{ bytes: 35 }, 8, 3],
    [{ ageMs: 4 }, 6, 5],
    [{ messages: 9, bytes: 75, ageMs: 100 }, 4, 7],
    [{ messages: 0 }, 11, 0],
    [{}, 1, 10],
  ])('keeps within %j', async (bounds, first, left) => {
    const { roomId } = await keeper.filled(...messages(1, 10, { body: Buffer.alloc(10) }))
    const head = await keeper.histories.trim(roomId, bounds, message(10).timeMs)
    expect(head).toMatchObject({ first, last: 10, messages: left, bytes: left * 10 })
    expect(await keeper.histories.head(roomId)).toEqual(head)
    expect(await keeper.sequences(roomId)).toHaveLength(left)
  })

  test('goes on where it was, whatever was trimmed', async () => {
    const { roomId, generation } = await keeper.filled(...messages(1, 5_000))
    await keeper.histories.trim(roomId, { messages: 0 }, 0)
    await keeper.store({ roomId, generation, messages: [message(5_001)] })
    const head = await keeper.histories.head(roomId)
    expect(head).toMatchObject({ first: 5_001, last: 5_001, messages: 1 })
  })

  test('is another after a purge', async () => {
    const { roomId, generation } = await keeper.filled(...messages(1, 3))
    const before = await keeper.histories.head(roomId)
    const head = await keeper.histories.purge(roomId)
    expect(head).toMatchObject({ first: 1, last: 0, messages: 0, bytes: 0 })
    expect(head.epoch).toBeGreaterThan(before!.epoch)
    expect(await keeper.sequences(roomId)).toEqual([])
    const late = { roomId, generation, messages: [message(4)] }
    expect(await keeper.histories.append([late])).toEqual(new Set([roomId]))
    await keeper.store({ ...late, generation: head.generation, messages: [message(1)] })
    expect(await keeper.sequences(roomId)).toEqual([1])
  })

  test('that is not there cannot be trimmed or purged', async () => {
    const roomId = await keeper.rooms.newRoom()
    for (const call of [
      () => keeper.histories.trim(roomId, {}, 0),
      () => keeper.histories.purge(roomId),
    ]) {
      await expect(call()).rejects.toMatchObject({ failure: 'missing' })
    }
  })
}

function cursorsSuite(keeper: Keeper): void {
  test('move forward only, and no further than the room has come', async () => {
    const { roomId } = await keeper.filled(...messages(1, 10))
    const { cursors } = keeper.rooms
    const holder = randomUUID()
    const moveTo = (...sequences: number[]) =>
      cursors.move(sequences.map((sequence) => ({ roomId, holder, sequence })))
    expect(await cursors.find(roomId, holder)).toBe(0)
    await moveTo(3, 5, 4)
    expect(await cursors.find(roomId, holder)).toBe(5)
    await moveTo(2)
    expect(await cursors.find(roomId, holder)).toBe(5)
    await moveTo(1_000)
    expect(await cursors.find(roomId, holder)).toBe(10)
    expect(await cursors.find(roomId, randomUUID())).toBe(0)
    await moveTo()
  })

  test('begin anew with the epoch, and need a history', async () => {
    const { roomId, generation } = await keeper.filled(...messages(1, 10))
    const { cursors } = keeper.rooms
    const holder = randomUUID()
    const bare = await keeper.rooms.newRoom()
    await cursors.move(
      [bare, randomUUID(), roomId].map((id) => ({ roomId: id, holder, sequence: 9 })),
    )
    expect(await cursors.find(bare, holder)).toBe(0)
    const head = await keeper.histories.purge(roomId)
    expect(await cursors.find(roomId, holder)).toBe(0)
    expect(head.generation).toBeGreaterThan(generation)
    await keeper.store({ roomId, generation: head.generation, messages: messages(1, 4) })
    await cursors.move([{ roomId, holder, sequence: 2 }])
    expect(await cursors.find(roomId, holder)).toBe(2)
  })

  test('tell what is unread of many rooms', async () => {
    const channels = ['', 'a/1', 'b', 'a/2', 'a/2']
    const stored = channels.map((channel, i) => message(i + 1, { channel }))
    const [one, other] = [await keeper.filled(...stored), await keeper.filled(...messages(1, 9))]
    const { cursors } = keeper.rooms
    const holder = randomUUID()
    await cursors.move([{ roomId: one.roomId, holder, sequence: 2 }])
    await keeper.histories.trim(other.roomId, { messages: 7 }, 0)
    const count = async (...asked: [string, string[]][]) => {
      const queries = asked.map(([roomId, filters]) => ({ roomId, filters }))
      const counts = await cursors.unread(holder, queries, 6)
      return new Map(counts.map(({ roomId, count: unread }) => [roomId, unread]))
    }
    expect(await count([one.roomId, ['']], [other.roomId, ['x', '']])).toEqual(
      new Map([
        [one.roomId, 3],
        [other.roomId, 6],
      ]),
    )
    expect(await count([one.roomId, ['a/*']], [other.roomId, ['a']])).toEqual(
      new Map([
        [one.roomId, 2],
        [other.roomId, 0],
      ]),
    )
    expect(await count([randomUUID(), ['']], [await keeper.rooms.newRoom(), ['']])).toEqual(
      new Map(),
    )
    const { epoch } = (await keeper.histories.head(one.roomId))!
    expect(await cursors.unread(holder, [{ roomId: one.roomId, filters: [''] }], 1)).toEqual([
      { roomId: one.roomId, epoch, cursor: 2, last: 5, count: 1 },
    ])
  })
}

function retainedSuite(keeper: Keeper): void {
  test('are the last of each channel', async () => {
    const roomId = await keeper.rooms.newRoom()
    const { retained } = keeper.rooms
    const values = [message(1), message(2, { channel: 'a' }), message(3, { channel: 'a' })]
    const save = (...saved: NewMessage[]) =>
      retained.save(saved.map((one) => ({ roomId, channel: one.channel, message: one })))
    await save(...values)
    expect(await retained.load(roomId)).toEqual([values[0], values[2]])
    const last = message(4)
    await save(last)
    await retained.save([
      { roomId, channel: 'a' },
      { roomId, channel: 'none' },
      { roomId: randomUUID(), channel: 'a', message: last },
    ])
    expect(await retained.load(roomId)).toEqual([last])
    await retained.save([])
    await keeper.rooms.deleteRoom(roomId)
    expect(await retained.load(roomId)).toEqual([])
  })
}
