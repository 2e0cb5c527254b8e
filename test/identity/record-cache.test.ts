import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { RecordCache } from '../../gateway/identity/record-cache.ts'
import type { Change } from '../../gateway/store/store.ts'

interface Record {
  readonly id: string
  /** Rises with each change of it. */
  readonly version: number
}

type Listener = (change: Change | undefined) => void

/** A store whose answers and notices come when the test says so, as over two connections. */
class SlowStore {
  readonly versions = new Map<string, number>()
  readonly changes = {
    watching: true,
    watch: async (listener: Listener) => {
      this.#listeners.add(listener)
      return async () => void this.#listeners.delete(listener)
    },
  }
  asked = 0
  /** Changes of which nobody was told yet. */
  #untold: string[] = []
  readonly #reading: { id: string; answer: (found: Record | undefined) => void }[] = []
  readonly #answered: (() => void)[] = []
  readonly #listeners = new Set<Listener>()

  find(id: string): Promise<Record | undefined> {
    this.asked++
    return new Promise((answer) => this.#reading.push({ id, answer }))
  }

  /** The oldest question is read; its answer is on the way. */
  read(): void {
    const question = this.#reading.shift()
    if (!question) return
    const { id, answer } = question
    const version = this.versions.get(id)
    this.#answered.push(() => answer(version === undefined ? undefined : { id, version }))
  }

  answer(): void {
    this.#answered.shift()?.()
  }

  answerAll(): void {
    while (this.#reading.length > 0) this.read()
    while (this.#answered.length > 0) this.answer()
  }

  /** Changed by some process; undefined deletes it. */
  change(id: string, version: number | undefined): void {
    if (version === undefined) this.versions.delete(id)
    else this.versions.set(id, version)
    this.#untold.push(id)
  }

  /** The oldest notice arrives; which record it is about. */
  tell(): string | undefined {
    const id = this.changes.watching ? this.#untold.shift() : undefined
    if (id !== undefined) this.notice({ kind: 'token', id })
    return id
  }

  notice(change: Change | undefined): void {
    for (const listener of [...this.#listeners]) listener(change)
  }

  /** The connection of the notices is lost, and with it those on their way. */
  cut(): void {
    this.changes.watching = false
    this.#untold = []
  }

  heal(): void {
    if (this.changes.watching) return
    this.#untold = []
    this.changes.watching = true
    this.notice(undefined)
  }
}

const A = 'aaaaaaaa-0000-4000-8000-000000000000'
const B = 'bbbbbbbb-0000-4000-8000-000000000000'
const C = 'cccccccc-0000-4000-8000-000000000000'

let store: SlowStore
let cache: RecordCache<Record>
let now: number

beforeEach(() => {
  now = 0
  store = new SlowStore()
  for (const id of [A, B, C]) store.versions.set(id, 1)
  cache = cacheOf(2)
})

function cacheOf(max: number): RecordCache<Record> {
  const stored = { find: (id: string) => store.find(id) }
  return new RecordCache(stored, store.changes, { kind: 'token', max, uptime: () => now })
}

async function found(id: string): Promise<Record | undefined> {
  const asked = cache.find(id)
  store.answerAll()
  return asked
}

describe('what was found', () => {
  beforeEach(() => cache.start())

  test('is known for a second from when it was asked for', async () => {
    expect(cache.recent(A)).toBeUndefined()
    const asked = cache.find(A)
    now = 400
    store.answerAll()
    expect(await asked).toEqual({ id: A, version: 1 })
    now = 999
    expect(cache.recent(A)).toEqual({ id: A, version: 1 })
    now = 1_000
    expect(cache.recent(A)).toBeUndefined()
  })

  test('is asked for by find each time', async () => {
    await found(A)
    await found(A)
    expect(store.asked).toBe(2)
  })

  test('is never that there is none', async () => {
    store.versions.delete(A)
    expect(await found(A)).toBeUndefined()
    store.versions.set(A, 7)
    expect(cache.recent(A)).toBeUndefined()
    expect(await found(A)).toEqual({ id: A, version: 7 })
  })

  test('is bounded: the oldest goes', async () => {
    for (const id of [A, B, A, C]) await found(id)
    expect([A, B, C].filter((id) => cache.recent(id))).toEqual([A, C])
    cache = cacheOf(0)
    await cache.start()
    await found(A)
    expect(cache.recent(A)).toBeUndefined()
  })

  test('goes with the notice of it, and no other record of its kind does', async () => {
    await found(A)
    await found(B)
    store.notice({ kind: 'token', id: A })
    expect(cache.recent(A)).toBeUndefined()
    expect(cache.recent(B)).toBeDefined()
  })

  test.each(['account', 'room', 'client', 'credential'] as const)(
    'goes with the change of any %s, which it may name',
    async (kind) => {
      await found(A)
      store.notice({ kind, id: C })
      expect(cache.recent(A)).toBeUndefined()
    },
  )

  test('goes where changes may have been missed', async () => {
    await found(A)
    store.notice(undefined)
    expect(cache.recent(A)).toBeUndefined()
  })

  test('is not kept where it was read before a notice that came meanwhile', async () => {
    const asked = cache.find(A)
    store.read()
    store.change(A, undefined)
    store.tell()
    store.answer()
    expect(await asked).toEqual({ id: A, version: 1 })
    expect(cache.recent(A)).toBeUndefined()
  })

  test('is not kept where a store that is away refuses', async () => {
    const away = { find: () => Promise.reject(new Error('away')) }
    cache = new RecordCache(away, store.changes, { kind: 'token', max: 2, uptime: () => now })
    await cache.start()
    await expect(cache.find(A)).rejects.toThrow('away')
    expect(cache.recent(A)).toBeUndefined()
  })
})

describe('while no changes are told, nothing is kept', () => {
  test('before the start', async () => {
    expect(await found(A)).toBeDefined()
    expect(cache.recent(A)).toBeUndefined()
  })

  test('while the store is away at the start, and what was read until then', async () => {
    const gate = Promise.withResolvers<void>()
    const { watch } = store.changes
    store.changes.watch = async (listener) => {
      await gate.promise
      return watch(listener)
    }
    const started = cache.start()
    await found(A)
    expect(cache.recent(A)).toBeUndefined()
    const early = cache.find(A)
    store.read()
    store.change(A, undefined)
    gate.resolve()
    await started
    store.answer()
    await early
    expect(cache.recent(A)).toBeUndefined()
    await found(B)
    expect(cache.recent(B)).toBeDefined()
  })

  test('of a store that was closed before it was there', async () => {
    store.changes.watch = () => Promise.reject(new Error('closed'))
    await cache.start()
    await found(A)
    expect(cache.recent(A)).toBeUndefined()
    await cache.stop()
  })

  test('after the connection is lost, and what was known before is not known after', async () => {
    await cache.start()
    await found(A)
    store.cut()
    expect(cache.recent(A)).toBeUndefined()
    await found(B)
    expect(cache.recent(B)).toBeUndefined()
    store.change(A, 2)
    store.heal()
    expect(cache.recent(A)).toBeUndefined()
    expect(cache.recent(B)).toBeUndefined()
    expect(await found(A)).toEqual({ id: A, version: 2 })
    expect(cache.recent(A)).toEqual({ id: A, version: 2 })
  })

  test('after the end, also one before the start was through', async () => {
    await cache.start()
    await found(A)
    await cache.stop()
    expect(cache.recent(A)).toBeUndefined()
    await found(A)
    expect(cache.recent(A)).toBeUndefined()
    cache = cacheOf(2)
    const started = cache.start()
    await cache.stop()
    await started
    await found(A)
    expect(cache.recent(A)).toBeUndefined()
  })
})

const ids = fc.constantFrom(A, B, C)
const steps = fc.oneof(
  fc.record({ do: fc.constant('find' as const), id: ids }),
  fc.record({ do: fc.constant('change' as const), id: ids, gone: fc.boolean() }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 1_200 }) }),
  fc.record({ do: fc.constantFrom('read', 'answer', 'answer', 'tell', 'tell', 'cut', 'heal') }),
)

test('in whatever order things come, nothing is known that a notice has ended', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 60 }), async (all) => {
      now = 0
      store = new SlowStore()
      cache = cacheOf(2)
      await cache.start()
      let version = 1
      /** The least that may still be known of each, as of the notices that came. */
      const floors = new Map<string, number>()
      const changes: { id: string; version: number }[] = []
      /** When each version was last true. */
      const trueAt = new Map<string, number>()
      for (const id of [A, B]) store.versions.set(id, 0)
      for (const step of all) {
        for (const [id, each] of store.versions) trueAt.set(`${id}/${each}`, now)
        if (step.do === 'find') void cache.find(step.id)
        else if (step.do === 'pass') now += step.ms
        else if (step.do === 'change') {
          changes.push({ id: step.id, version })
          store.change(step.id, step.gone ? undefined : version)
          version++
        } else if (step.do === 'read') store.read()
        else if (step.do === 'answer') store.answer()
        else if (step.do === 'tell') {
          const change = store.tell() === undefined ? undefined : changes.shift()
          if (change) floors.set(change.id, change.version)
        } else {
          const healed = step.do === 'heal' && !store.changes.watching
          store[step.do]()
          if (!store.changes.watching || healed) changes.length = 0
          if (healed) for (const id of [A, B, C]) floors.set(id, version - 1)
        }
        await setImmediate()
        for (const id of [A, B, C]) {
          const known = cache.recent(id)
          if (!known) continue
          expect(store.changes.watching).toBe(true)
          expect(known.id).toBe(id)
          const untouched = known.version === store.versions.get(id)
          const floor = floors.get(id) ?? 0
          expect(untouched || known.version >= floor).toBe(true)
          expect(now - (trueAt.get(`${id}/${known.version}`) ?? now)).toBeLessThan(1_000)
        }
      }
    }),
    { numRuns: 300 },
  )
})
