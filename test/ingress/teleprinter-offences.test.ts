/** What is remembered of wrong answers, by whom, and for how long (R17, threat K15). */
import fc from 'fast-check'
import { pino } from 'pino'
import { beforeEach, describe, expect, test } from 'vitest'
import { networkOf, OffenceBook } from '../../gateway/identity/offences.ts'
import type { Offences } from '../../gateway/store/store.ts'
import { MemoryStore } from '../support/memory-store.ts'

const HALF_LIFE_MS = 600_000
const MINUTE = 60_000

let store: MemoryStore
let now: number
let book: OffenceBook

beforeEach(() => {
  store = new MemoryStore()
  now = Date.parse('2026-01-01')
  book = bookOn(store.offences)
})

function bookOn(stored: Offences): OffenceBook {
  const log = pino({ level: 'silent' })
  return new OffenceBook({ stored, halfLifeMs: HALF_LIFE_MS, clock: () => now, log })
}

const HOME = '192.0.2.7'

describe('a network', () => {
  test('is barred for ten minutes by one, for twenty by two', async () => {
    await book.add(HOME, [])
    now += 10 * MINUTE
    expect(await book.from(HOME)).toBe(1)
    now += 1
    expect(await book.from(HOME)).toBe(0)
    now -= 10 * MINUTE + 1
    await book.add(HOME, [])
    now += 20 * MINUTE
    expect(await book.from(HOME)).toBe(2)
    now += 1
    expect(await book.from(HOME)).toBe(0)
  })

  test('is all of its addresses, and none of others', async () => {
    await book.add(HOME, [])
    expect(await book.from('192.0.2.250')).toBe(1)
    expect(await book.from('::ffff:192.0.2.9')).toBe(1)
    expect(await book.from('192.0.3.7')).toBe(0)
    expect(await book.from('2001:db8::1')).toBe(0)
  })

  test('is not barred by a clock that was set back', async () => {
    await book.add(HOME, [])
    now -= 365 * 24 * 60 * MINUTE
    expect(await book.from(HOME)).toBe(1)
  })

  test('is free again once an admin has cleared it', async () => {
    await book.add(HOME, ['token:t'])
    expect(await store.offences.clear({ subject: 'address:192.0.2.0/24' })).toBe(1)
    expect(await book.from(HOME)).toBe(0)
    expect(await book.inName(['token:t'])).toBe(1)
  })
})

describe('a name', () => {
  test('is never a reason to turn its owner away', async () => {
    for (let i = 0; i < 1000; i++) {
      await book.add(`198.51.${i >> 8}.${i & 255}`, ['client:acme/ada'])
    }
    expect(await book.from(HOME)).toBe(0)
    expect(await book.inName(['client:acme/ada'])).toBe(1000)
  })

  test('that was claimed twice at once is counted once', async () => {
    await book.add(HOME, ['client:acme/ada', 'client:acme/ada', 'token:t'])
    expect(await book.inName(['client:acme/ada'])).toBe(1)
    expect(await book.inName([])).toBe(0)
    expect((await store.offences.list()).map(({ subject }) => subject).sort()).toEqual([
      'address:192.0.2.0/24',
      'identity:client:acme/ada',
      'identity:token:t',
    ])
  })
})

test('a store that is away knows of nothing, and nobody fails for it', async () => {
  await book.add(HOME, [])
  store.away = true
  await book.add(HOME, ['token:t'])
  expect(await book.from(HOME)).toBe(0)
  expect(await book.inName(['token:t'])).toBe(0)
})

describe('networks', () => {
  test.each([
    ['10.1.2.3', '10.1.2.0/24'],
    ['::FFFF:10.1.2.3', '10.1.2.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    ['64:ff9b::10.1.2.3', '64:ff9b:0:0::/64'],
    ['1:2:3:4:5:6:10.1.2.3', '1:2:3:4::/64'],
  ])('%s is of %s', (address, network) => {
    expect(networkOf(address)).toBe(`address:${network}`)
  })

  test('of IPv6 are the first half of an address, however it is written', () => {
    const group = fc.oneof(fc.constant(0), fc.nat(0xffff))
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const hex = groups.map((each) => each.toString(16))
        const network = `address:${hex.slice(0, 4).join(':')}::/64`
        expect(networkOf(hex.join(':'))).toBe(network)
        const short = new URL(`http://[${hex.join(':')}]`).hostname.slice(1, -1)
        if (!/^::ffff:/.test(short)) expect(networkOf(short)).toBe(network)
      }),
    )
  })
})
