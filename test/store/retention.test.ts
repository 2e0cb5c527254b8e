/** What is to go by a room's retention goes, also where nobody is in the room any more. */
import { create, fromJson } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { Database } from '../../gateway/store/postgres/database.ts'
import { Retention } from '../../gateway/store/postgres/history/retention.ts'
import { openStore } from '../../gateway/store/postgres/open.ts'
import { DebianServer } from './debian.ts'
import { author, Fixture } from './fixture.ts'
import { all, messages } from './histories-suite.ts'

const fixture = new Fixture(() => DebianServer.start())
beforeAll(() => fixture.open())
afterAll(() => fixture.close())
afterEach(() => {
  vi.restoreAllMocks()
})

const DURABLE = { history: { keep: 'KEEP_DURABLE' } }
const HOUR_MS = 3_600_000
const forever = new AbortController().signal

/** A room with messages 1 to `count`, the last of them sent now, each a minute after the other. */
async function roomOf(count: number, ...blocks: object[]): Promise<string> {
  const { account, slug, id } = await fixture.newRoom()
  const config = fromJson(ConfigSchema, { blocks: blocks as never })
  await fixture.store.rooms.configure(account.slug, slug, config, author)
  await append(id, 1, count)
  return id
}

async function append(roomId: string, from: number, to: number): Promise<void> {
  const { histories } = fixture.store
  const { generation } = await histories.claim(roomId)
  const now = Date.now()
  const sent = messages(from, to).map((one) => ({
    ...one,
    timeMs: now - (to - one.sequence) * 60_000,
    body: Buffer.alloc(100),
  }))
  expect(await histories.append([{ roomId, generation, messages: sent }])).toEqual(new Set())
}

async function firstOf(roomId: string): Promise<number> {
  return (await fixture.store.histories.head(roomId))!.first
}

/** The upkeep's own, by hand: each call goes on to the end of its round, and tells its steps. */
function retaining(): () => Promise<number> {
  const { url } = fixture.server.options
  const database = new Database({ url: url! })
  onTestFinished(() => database.close())
  const retention = new Retention()
  return async () => {
    for (let steps = 1; ; steps++) {
      if (!(await retention.step(database, Date.now(), forever))) return steps
    }
  }
}

test('a gateway trims at its start what no gateway has loaded', async () => {
  const rooms = {
    messages: await roomOf(9_000, DURABLE, { retention: { messages: '100' } }),
    bytes: await roomOf(50, DURABLE, { retention: { bytes: '1000' } }),
    age: await roomOf(50, DURABLE, { retention: { ageMs: String(10.5 * 60_000) } }),
    all: await roomOf(50, DURABLE, {
      retention: { messages: '40', bytes: '9000', ageMs: '90000' },
    }),
    within: await roomOf(50, DURABLE, { retention: { messages: '50', bytes: '5000' } }),
    unbound: await roomOf(50, DURABLE, { retention: { messages: '0' } }),
    without: await roomOf(50, DURABLE),
    // Whoever configures it is told that this cannot be; a gateway keeps what there is.
    undurable: await roomOf(50, { retention: { messages: '1' } }),
  }
  const store = await openStore({ ...fixture.server.options, upkeep: true })
  onTestFinished(() => store.close())
  const firsts = async () => {
    const entries = Object.entries(rooms).map(async ([name, id]) => [name, await firstOf(id)])
    return Object.fromEntries(await Promise.all(entries))
  }
  const expected = { messages: 8_901, bytes: 41, age: 40, all: 49 }
  const kept = { within: 1, unbound: 1, without: 1, undurable: 1 }
  await vi.waitFor(async () => expect(await firsts()).toEqual({ ...expected, ...kept }), {
    timeout: 20_000,
    interval: 50,
  })
  const { messages: left } = await store.histories.page(rooms.messages, all)
  expect(left.map(({ sequence }) => sequence)).toEqual(
    Array.from({ length: 100 }, (_, i) => 8_901 + i),
  )
  expect(await store.histories.head(rooms.bytes)).toMatchObject({ messages: 10, bytes: 1_000 })
})

test('each room is looked at once an hour, however many there are', async () => {
  const bound = { retention: { messages: '2' } }
  const [first, ...rest] = await Promise.all(
    Array.from({ length: 450 }, () => roomOf(3, DURABLE, bound)),
  )
  const round = retaining()
  expect(await round()).toBeGreaterThan(2)
  for (const room of [first!, ...rest]) expect(await firstOf(room)).toBe(2)
  await append(first!, 4, 6)
  expect(await round()).toBe(1)
  expect(await firstOf(first!)).toBe(2)
  const later = performance.now() + HOUR_MS
  vi.spyOn(performance, 'now').mockReturnValue(later)
  await round()
  expect(await firstOf(first!)).toBe(5)
})

test('nothing goes by a bound that this version cannot read, nor by one of before', async () => {
  const sql = fixture.server.sql()
  onTestFinished(() => sql.end())
  const odd = await Promise.all(
    ['{"messages": "1", "perDay": 3}', '{"messages": -1}', '[]', '"1"', '7'].map(async (text) => {
      const id = await roomOf(3, DURABLE)
      const config = `{"blocks": [{"history": {"keep": "KEEP_DURABLE"}}, {"retention": ${text}}]}`
      await sql`update room_revisions set config = ${config}::text::jsonb where room_id = ${id}`
      return id
    }),
  )
  const { account, id: lifted } = await fixture.newRoom()
  for (const blocks of [[DURABLE, { retention: { messages: '1' } }], [DURABLE]]) {
    const config = fromJson(ConfigSchema, { blocks })
    await fixture.store.rooms.configure(account.slug, lifted, config, author)
  }
  await append(lifted, 1, 3)
  await retaining()()
  for (const id of [...odd, lifted]) expect(await firstOf(id)).toBe(1)
})

test('a room that is away is looked for in the next hour, and the others now', async () => {
  const bound = { retention: { messages: '1' } }
  const rooms = await Promise.all(Array.from({ length: 5 }, () => roomOf(3, DURABLE, bound)))
  const sorted = rooms.toSorted()
  const sql = fixture.server.sql()
  onTestFinished(() => sql.end())
  const holder = await sql.reserve()
  await holder`begin`
  await holder`select from histories where room_id = ${sorted[1]!} for update`
  const round = retaining()
  await expect(round()).rejects.toMatchObject({ failure: 'unavailable' })
  await holder`rollback`
  holder.release()
  await round()
  const trimmed = await Promise.all(sorted.map(firstOf))
  expect(trimmed).toEqual([3, 1, 3, 3, 3])
})

test('a config with no blocks has no bounds', async () => {
  const { id } = await fixture.newRoom('plain', create(ConfigSchema))
  await append(id, 1, 3)
  await retaining()()
  expect(await firstOf(id)).toBe(1)
})
