/** Histories on a database that is slow, silent, killed, shared, or given what it cannot keep. */
import fc from 'fast-check'
import type postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Append } from '../../gateway/store/history.ts'
import { Database } from '../../gateway/store/postgres/database.ts'
import { dropEmpty, makeAhead } from '../../gateway/store/postgres/history/partitions.ts'
import { openStore } from '../../gateway/store/postgres/open.ts'
import type { Store } from '../../gateway/store/store.ts'
import { DebianServer } from './debian.ts'
import { Fixture } from './fixture.ts'
import { all, message, messages } from './histories-suite.ts'
import { hostileText } from './hostile.ts'

const fixture = new Fixture(() => DebianServer.start())
beforeAll(() => fixture.open())
afterAll(() => fixture.close())

/** A connection past the store, for this test. */
function direct(): postgres.Sql {
  const sql = fixture.server.sql()
  onTestFinished(() => sql.end({ timeout: 0 }))
  return sql
}

async function claimed(store = fixture.store): Promise<{ roomId: string; generation: number }> {
  const roomId = await fixture.rooms().newRoom()
  return { roomId, generation: (await store.histories.claim(roomId)).generation }
}

async function another(upkeep = false): Promise<Store> {
  const store = await openStore({ ...fixture.server.options, upkeep })
  onTestFinished(() => store.close())
  return store
}

/** As the gateway does: the same again until it is known. */
async function insist(store: Store, append: Append): Promise<ReadonlySet<string>> {
  for (;;) {
    try {
      return await store.histories.append([append])
    } catch (error) {
      expect(error).toMatchObject({ name: 'StoreError', failure: 'unavailable' })
      await vi.waitFor(() => store.ping(), { timeout: 20_000, interval: 20 })
    }
  }
}

async function kept(roomId: string): Promise<number[]> {
  const { messages: page } = await fixture.store.histories.page(roomId, all)
  return page.map(({ sequence }) => sequence)
}

describe('an append', () => {
  test('that the server never answers is stored once when it is tried again', async () => {
    const { histories } = fixture.store
    const room = await claimed()
    const [one, two] = messages(1, 2)
    await histories.append([{ ...room, messages: [one!] }])
    const sql = direct()
    const backends = await sql<{ pid: number }[]>`
      select pid from pg_stat_activity where application_name = 'porthouse history'`
    for (const { pid } of backends) process.kill(pid, 'SIGSTOP')
    const append = { ...room, messages: [two!] }
    try {
      await expect(histories.append([append])).rejects.toMatchObject({ certain: false })
      expect(await histories.append([append])).toEqual(new Set())
    } finally {
      for (const { pid } of backends) process.kill(pid, 'SIGCONT')
    }
    await vi.waitFor(async () => {
      const pids = backends.map(({ pid }) => pid)
      const left = await sql<
        { name: string }[]
      >`select from pg_stat_activity where pid in ${sql(pids)}`
      expect(left).toHaveLength(0)
    })
    expect(await kept(room.roomId)).toEqual([1, 2])
    expect(await histories.head(room.roomId)).toMatchObject({ last: 2, messages: 2 })
  })

  test('that the server gives up is certain not to have happened', async () => {
    const room = await claimed()
    const holder = await direct().reserve()
    await holder`begin`
    await holder`select from histories where room_id = ${room.roomId} for update`
    const stuck = fixture.store.histories.append([{ ...room, messages: [message(1)] }])
    await expect(stuck).rejects.toMatchObject({ failure: 'unavailable', certain: true })
    await holder`rollback`
    holder.release()
    expect(await kept(room.roomId)).toEqual([])
  })

  test('that was told is there after a crash, each message once and in order', async () => {
    const room = await claimed()
    let crashed = false
    let last = 0
    const busy = (async () => {
      for (; !crashed; last += 3) {
        const append = { ...room, messages: messages(last + 1, last + 3) }
        expect(await insist(fixture.store, append)).toEqual(new Set())
      }
    })()
    await fixture.server.crash()
    await vi.waitFor(() => fixture.store.ping(), { timeout: 20_000, interval: 20 })
    crashed = true
    await busy
    expect(await kept(room.roomId)).toEqual(messages(1, last).map(({ sequence }) => sequence))
    const head = await fixture.store.histories.head(room.roomId)
    expect(head).toMatchObject({ last, messages: last })
  })

  test('of two gateways that take a room from each other never has a position twice', async () => {
    const { roomId } = await claimed()
    const told: string[] = []
    const gateway = async (store: Store, name: string) => {
      for (let i = 0; i < 30; i++) {
        const { generation, last } = await store.histories.claim(roomId)
        for (let at = last + 1; at <= last + 3; at++) {
          const one = message(at, { from: `${name} ${i}` })
          const refused = await store.histories.append([{ roomId, generation, messages: [one] }])
          if (refused.size > 0) break
          told.push(`${one.from} ${at}`)
        }
      }
    }
    await Promise.all([gateway(fixture.store, 'one'), gateway(await another(), 'other')])
    const { messages: page } = await fixture.store.histories.page(roomId, all)
    expect(page.map(({ sequence }) => sequence)).toEqual(page.map((_, i) => i + 1))
    expect(page.map(({ from, sequence }) => `${from} ${sequence}`).sort()).toEqual(told.sort())
  })

  test('keeps text as it is, or refuses it (S2)', async () => {
    const { histories, retained } = fixture.store
    await fc.assert(
      fc.asyncProperty(hostileText, hostileText, async (from, channel) => {
        const room = await claimed()
        const one = message(1, { from, channel })
        const { key: _, ...stored } = one
        try {
          await histories.append([{ ...room, messages: [one] }])
          const page = await histories.page(room.roomId, all)
          expect(page.messages).toEqual([stored])
        } catch (error) {
          expect(error).toMatchObject({ failure: 'invalid', certain: true })
          expect(`${from}${channel}`).toMatch(/\0|\p{Surrogate}/u)
        }
        const filters = [channel.slice(0, 1_000)]
        await histories.page(room.roomId, { ...all, filters }).catch((error: unknown) => {
          expect(error).toMatchObject({ name: 'StoreError' })
        })
        const value = { roomId: room.roomId, channel: channel.slice(0, 200), message: one }
        await retained.save([value]).catch((error: unknown) => {
          expect(error).toMatchObject({ failure: 'invalid', certain: true })
        })
      }),
      { numRuns: 25 },
    )
  })
})

describe('upkeep', () => {
  const count = async (sql: postgres.Sql, number: number) => {
    const [row] = await sql<{ left: number }[]>`
      select count(*)::int as left from messages where history = ${number}`
    return row?.left
  }

  test('deletes what is left of rooms, accounts and purges, however much', async () => {
    const store = await another(true)
    const sql = direct()
    const numbers: number[] = []
    for (const how of ['room', 'account', 'purge']) {
      const { id, account } = await fixture.newRoom()
      const { generation } = await store.histories.claim(id)
      await store.histories.append([{ roomId: id, generation, messages: messages(1, 12_000) }])
      const [row] = await sql<{ number: number }[]>`
        select number::int from histories where room_id = ${id}`
      numbers.push(row!.number)
      if (how === 'room') await store.rooms.delete(account.id, id)
      else if (how === 'account') await store.accounts.delete(account.id)
      else await store.histories.purge(id)
    }
    await vi.waitFor(
      async () => {
        for (const number of numbers) expect(await count(sql, number)).toBe(0)
        expect(await sql`select from dropped_histories`).toHaveLength(0)
      },
      { timeout: 20_000, interval: 50 },
    )
  })

  test('takes the cursors of a client and of a token with them', async () => {
    const { account, id: roomId } = await fixture.newRoom()
    const { cursors, clients, tokens, histories } = fixture.store
    const { generation } = await histories.claim(roomId)
    await histories.append([{ roomId, generation, messages: messages(1, 3) }])
    const client = await clients.ensure(account.id, 'ann')
    const token = await fixture.newToken(account.id)
    await cursors.move([client.id, token.id].map((holder) => ({ roomId, holder, sequence: 2 })))
    expect(await cursors.find(roomId, client.id)).toBe(2)
    await clients.delete(account.id, 'ann')
    await tokens.delete(token.id)
    expect(await cursors.find(roomId, client.id)).toBe(0)
    expect(await cursors.find(roomId, token.id)).toBe(0)
  })

  test('makes partitions ahead, and drops those of the past that are empty', async () => {
    const sql = direct()
    const { url } = fixture.server.options
    const database = new Database({ url: url! })
    onTestFinished(() => database.close())
    const room = await claimed()
    const sent = Date.UTC(2031, 11, 31, 23, 59)
    await makeAhead(database, sent)
    await makeAhead(database, sent)
    const timed = messages(1, 3).map((one, i) => ({ ...one, timeMs: sent + i * 60_000 }))
    await fixture.store.histories.append([{ ...room, messages: timed }])
    const placed = () => sql`
      select tableoid::regclass::text as name, count(*)::int from messages
      where at >= ${sent} group by 1 order by 1`
    expect([...(await placed())]).toEqual([
      { name: 'messages_2031_12', count: 1 },
      { name: 'messages_2032_01', count: 2 },
    ])
    expect(await kept(room.roomId)).toEqual([1, 2, 3])
    await fixture.store.histories.trim(room.roomId, { messages: 2 }, sent)
    await dropEmpty(database, Date.UTC(2032, 4, 1))
    const left = await sql<{ name: string }[]>`
      select relname as name from pg_class where relname like 'messages\_203%' and relkind = 'r'
      order by 1`
    // That of the month before is kept, for a clock that is set back.
    expect(left.map(({ name }) => name)).toEqual(['messages_2032_01'])
    expect(await kept(room.roomId)).toEqual([2, 3])
  })

  test('of partitions waits for no long reader, and holds up no append', async () => {
    const { url } = fixture.server.options
    const database = new Database({ url: url! })
    onTestFinished(() => database.close())
    const sql = direct()
    const past = Date.UTC(2021, 5)
    await makeAhead(database, past)
    const reader = await sql.reserve()
    await reader`begin`
    await reader`select count(*) from messages`
    const room = await claimed()
    const later = Date.UTC(2041, 5)
    let stored = 0
    let done = false
    const appends = (async () => {
      for (; !done; stored++) {
        await fixture.store.histories.append([{ ...room, messages: [message(stored + 1)] }])
      }
    })()
    // They give way at once, where they would wait for the reader, and appends behind them.
    await Promise.all([dropEmpty(database, Date.UTC(2021, 8)), makeAhead(database, later)])
    const there = async (name: string) =>
      (await reader`select from pg_class where relname = ${name}`).length
    expect([await there('messages_2021_06'), await there('messages_2041_06')]).toEqual([1, 0])
    await reader`rollback`
    await vi.waitFor(async () => {
      await dropEmpty(database, Date.UTC(2021, 8))
      await makeAhead(database, later)
      expect([await there('messages_2021_06'), await there('messages_2041_06')]).toEqual([0, 1])
    })
    done = true
    await appends
    reader.release()
    expect((await kept(room.roomId)).length).toBe(Math.min(stored, 1_000))
  })

  test('what has no partition is kept all the same', async () => {
    const room = await claimed()
    const far = [0, Date.UTC(9999, 0, 1)].map((timeMs, i) => message(i + 1, { timeMs }))
    await fixture.store.histories.append([{ ...room, messages: far }])
    expect(await kept(room.roomId)).toEqual([1, 2])
    expect((await fixture.store.histories.trim(room.roomId, { ageMs: 1 }, 10)).first).toBe(2)
  })
})
