import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openStore } from '../../gateway/store/postgres/open.ts'
import type { OffenceChoice, OffencePosition } from '../../gateway/store/store.ts'
import type { Fixture } from './fixture.ts'
import { hostileText } from './hostile.ts'

const HALF_LIFE = 600_000
const start = new Date('2030-01-02T03:04:05.678Z')
const later = (ms: number) => new Date(start.getTime() + ms)

export function offencesSuite(fixture: Fixture): void {
  const add = (subjects: string[], at = start, halfLife = HALF_LIFE) =>
    fixture.store.offences.add(subjects, at, halfLife)
  const find = async (subject: string) => (await fixture.store.offences.find([subject]))[0]
  const newSubject = () => `address:${randomUUID()}`

  describe('offences', () => {
    test('add up, and halve with each half-life', async () => {
      const [address, identity] = [newSubject(), `identity:${randomUUID()}`]
      await add([address, identity, address])
      expect(await find(address)).toEqual({ subject: address, score: 1, count: 1, at: start })
      await add([address], later(HALF_LIFE))
      await add([address], later(3 * HALF_LIFE))
      const found = await fixture.store.offences.find([address, identity, newSubject()])
      expect(found).toHaveLength(2)
      expect(await find(address)).toEqual({
        subject: address,
        score: 1.375,
        count: 3,
        at: later(3 * HALF_LIFE),
      })
      expect(await fixture.store.offences.find([])).toEqual([])
    })

    test('decay as far as numbers go, and never by a clock that goes back', async () => {
      const subject = newSubject()
      await add([subject])
      await add([subject], later(100_000 * HALF_LIFE))
      expect(await find(subject)).toMatchObject({ score: 1, count: 2 })
      await add([subject], start)
      expect(await find(subject)).toMatchObject({ score: 2, at: later(100_000 * HALF_LIFE) })
      await add([subject], later(200_000 * HALF_LIFE), 0)
      expect(await find(subject)).toMatchObject({ score: 1, count: 4 })
    })

    test('are all counted, whichever process adds them and in which order', async () => {
      const subjects = Array.from({ length: 8 }, newSubject)
      const other = await openStore(fixture.server.options)
      const adds = Array.from({ length: 20 }, (_, number) => {
        const { offences } = number % 2 ? other : fixture.store
        const order = number % 3 ? subjects : subjects.toReversed()
        return offences.add(order, start, HALF_LIFE)
      })
      await Promise.all(adds)
      await other.close()
      for (const offence of await fixture.store.offences.find(subjects)) {
        expect(offence).toMatchObject({ score: 20, count: 20 })
      }
    })

    test('are listed with the latest first, and cleared by name', async () => {
      const [early, late] = [newSubject(), newSubject()]
      await add([late], new Date('2200-01-01'))
      await add([early], new Date('2199-01-01'))
      const listed = (await fixture.store.offences.list()).map(({ subject }) => subject)
      expect(listed.slice(0, 2)).toEqual([late, early])
      expect(await fixture.store.offences.clear({ subject: early })).toBe(1)
      expect(await fixture.store.offences.clear({ subject: early })).toBe(0)
      expect(await find(late)).toBeDefined()
    })

    test('are listed in parts, and chosen by how they start or where they lie', async () => {
      const { offences } = fixture.store
      const account = randomUUID()
      const subjects = [
        ...['203.0.113.0/24', '203.0.114.0/24', '204.0.0.0/24', '2001:db8:0:1::/64'].map(
          (network) => `address:${network}`,
        ),
        ...['ann', 'bob'].map((client) => `identity:client:${account}/${client}`),
        // What cannot be a network is none, whatever it is made of.
        'address:999.0.0.0/24',
        'address:203.0.113.0:80::/64',
        'identity:203.0.113.0/24',
      ]
      await add(subjects, new Date('2300-01-01'))
      const listed: string[] = []
      for (let after: OffencePosition | undefined; listed.length < subjects.length; ) {
        const part = await offences.list({ limit: 2, ...(after && { after }) })
        after = part.at(-1)
        listed.push(...part.map(({ subject }) => subject))
      }
      expect(listed.slice(0, subjects.length)).toEqual(subjects.toSorted())
      const chosen = async (choice: OffenceChoice) =>
        (await offences.list({}, choice)).map(({ subject }) => subject)
      const [a, b, c, v6, ann, bob] = subjects as [string, string, string, string, string, string]
      const prefixes = [`identity:client:${account}/`, 'identity:none']
      expect(await chosen({ prefixes })).toEqual([ann, bob])
      expect(await chosen({ prefixes: [] })).toEqual([])
      expect(await chosen({ network: '203.0.113.7' })).toEqual([a])
      expect(await chosen({ network: '203.0.0.0/16' })).toEqual([a, b])
      expect(await chosen({ network: '2001:db8::/32' })).toEqual([v6])
      expect(await chosen({ subject: c })).toEqual([c])
      expect(await offences.clear({ network: '203.0.0.0/16' })).toBe(2)
      expect(await offences.clear({ prefixes })).toBe(2)
      expect(await offences.clear({ prefixes: [] })).toBe(0)
      const left = await offences.find(subjects)
      expect(left.map(({ subject }) => subject).sort()).toEqual(
        [c, v6, ...subjects.slice(6)].sort(),
      )
      for (const subject of subjects) await offences.clear({ subject })
    })

    test('are counted whatever name is claimed', async () => {
      await fc.assert(
        fc.asyncProperty(hostileText, async (text) => {
          const [address, identity] = [newSubject(), `identity:${text}`]
          await add([address, identity])
          expect(await find(address)).toMatchObject({ count: 1 })
          expect((await find(identity))!.count).toBeGreaterThan(0)
        }),
        { numRuns: 40 },
      )
    })

    test('are so many at most, and all of them can be cleared', async () => {
      const sql = fixture.server.sql()
      await sql`
        insert into offences (subject, score, count, at)
        select 'flood:' || n, 1, 1, ${start.toISOString()}::timestamptz + n * interval '1 ms'
        from generate_series(1, 10200) n`
      const [mine, last] = [newSubject(), newSubject()]
      for (const at of [10_300, 10_400, 10_500, 10_600]) await add([mine], later(at))
      await add([last], later(10_700))
      const [{ count }] = (await sql`select count(*)::int from offences`) as [{ count: number }]
      await sql.end()
      expect(count).toBeLessThanOrEqual(10_002)
      expect(await find(mine)).toMatchObject({ count: 4 })
      expect(await find('flood:1')).toBeUndefined()
      expect(await fixture.store.offences.list()).toHaveLength(1_000)
      expect(await fixture.store.offences.clear()).toBe(count)
      expect(await fixture.store.offences.list()).toEqual([])
    })

    test('that have faded go with the next', async () => {
      const [old, next] = [newSubject(), newSubject()]
      await add([old])
      await add([next], later(19 * HALF_LIFE))
      expect(await find(old)).toBeDefined()
      await add([next], later(20 * HALF_LIFE))
      expect(await find(old)).toBeUndefined()
      expect(await find(next)).toMatchObject({ count: 2, score: 1.5 })
    })
  })
}
