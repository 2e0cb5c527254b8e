/** What of rooms is kept: of the database, and of the memory that stands for it in tests. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
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

export function historiesSuite(rooms: () => Rooms): void {
  /** A room, claimed, with these messages. */
  async function filled(...stored: NewMessage[]): Promise<{ roomId: string; generation: number }> {
    const roomId = await rooms().newRoom()
    const { generation } = await rooms().histories.claim(roomId)
    await store({ roomId, generation, messages: stored })
    return { roomId, generation }
  }

  async function store(...appends: Append[]): Promise<void> {
    expect(await rooms().histories.append(appends)).toEqual(new Set())
  }

  async function sequences(roomId: string, range: Partial<PageRange> = {}): Promise<number[]> {
    const { messages: page } = await rooms().histories.page(roomId, { ...all, ...range })
    return page.map(({ sequence }) => sequence)
  }

  describe('a history', () => {
    test('is made by whoever claims it', async () => {
      const roomId = await rooms().newRoom()
      expect(await rooms().histories.head(roomId)).toBeUndefined()
      const head = await rooms().histories.claim(roomId)
      expect(head).toMatchObject({ first: 1, last: 0, messages: 0, bytes: 0 })
      expect(await rooms().histories.head(roomId)).toEqual(head)
      const nowhere = rooms().histories.claim(randomUUID())
      await expect(nowhere).rejects.toMatchObject({ failure: 'missing' })
    })

    test('gives back what it was given', async () => {
      const plain = message(1)
      const { key: _, ...expected } = message(2, { channel: 'a/b', key: keyOf('k'), id: plain.id })
      const keyed = { ...expected, key: keyOf('k') }
      const { roomId } = await filled(plain, keyed)
      const whole = { messages: [plain, expected], through: 2, more: false }
      expect(await rooms().histories.page(roomId, all)).toEqual(whole)
      expect(await rooms().histories.head(roomId)).toMatchObject({ first: 1, last: 2, messages: 2 })
    })

    test('of many rooms is stored at once', async () => {
      const [one, other] = [await filled(message(1)), await filled()]
      await store({ ...one, messages: messages(2, 5) }, { ...other, messages: messages(1, 3) })
      expect(await sequences(one.roomId)).toEqual([1, 2, 3, 4, 5])
      expect(await sequences(other.roomId)).toEqual([1, 2, 3])
    })

    test('takes the same again once', async () => {
      const first = messages(1, 3)
      const { roomId, generation } = await filled(...first)
      const head = await rooms().histories.head(roomId)
      await store({ roomId, generation, messages: first })
      expect(await rooms().histories.head(roomId)).toEqual(head)
      expect(await sequences(roomId)).toEqual([1, 2, 3])
    })

    test('knows what it had, also where it is kept no more or claimed by another', async () => {
      const stored = messages(1, 3)
      const { roomId, generation } = await filled(...stored)
      await rooms().histories.trim(roomId, { messages: 2 }, 0)
      await store({ roomId, generation, messages: stored })
      await rooms().histories.claim(roomId)
      await store({ roomId, generation, messages: stored.slice(1) })
      // What is kept no more may have been of another, who took its position.
      const again = rooms().histories.append([{ roomId, generation, messages: stored }])
      expect(await again).toEqual(new Set([roomId]))
    })

    test('gives no position twice, and leaves none out', async () => {
      const { roomId, generation } = await filled(message(1), message(2))
      const other = await filled()
      for (const [i, wrong] of [messages(2, 3), messages(1, 2), messages(4, 5)].entries()) {
        const refused = await rooms().histories.append([
          { roomId, generation, messages: wrong },
          { ...other, messages: [message(i + 1)] },
        ])
        expect(refused).toEqual(new Set([roomId]))
      }
      expect(await sequences(roomId)).toEqual([1, 2])
      expect(await sequences(other.roomId)).toEqual([1, 2, 3])
    })

    test('is added to by its last claimer alone', async () => {
      const { roomId, generation } = await filled(message(1))
      const other = await filled()
      const claim = await rooms().histories.claim(roomId)
      expect(claim.generation).toBeGreaterThan(generation)
      const refused = await rooms().histories.append([
        { roomId, generation, messages: [message(2)] },
        { ...other, messages: [message(1)] },
      ])
      expect(refused).toEqual(new Set([roomId]))
      expect(await sequences(other.roomId)).toEqual([1])
      await store({ roomId, generation: claim.generation, messages: [message(2)] })
      expect(await sequences(roomId)).toEqual([1, 2])
    })

    test('is read in pages from either end', async () => {
      const { roomId } = await filled(...messages(1, 10, { body: Buffer.alloc(10) }))
      expect(await sequences(roomId, { after: 3, limit: 3 })).toEqual([4, 5, 6])
      expect(await sequences(roomId, { from: 'end', limit: 3 })).toEqual([8, 9, 10])
      expect(await sequences(roomId, { from: 'end', before: 4, limit: 2 })).toEqual([2, 3])
      expect(await sequences(roomId, { after: 3, before: 6 })).toEqual([4, 5])
      expect(await sequences(roomId, { bytes: 25 })).toEqual([1, 2])
      expect(await sequences(roomId, { from: 'end', bytes: 5 })).toEqual([10])
      expect(await sequences(roomId, { after: 10 })).toEqual([])
    })

    test('goes with its room', async () => {
      const { roomId, generation } = await filled(message(1))
      await rooms().deleteRoom(roomId)
      expect(await rooms().histories.head(roomId)).toBeUndefined()
      expect(await sequences(roomId)).toEqual([])
      const late = { roomId, generation, messages: [message(2)] }
      expect(await rooms().histories.append([late])).toEqual(new Set([roomId]))
    })
  })
}
