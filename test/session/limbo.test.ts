/** Before anything is unlocked, and after what was proved has ended (R4, R14, K7). */
import { Code } from '@porthouse/proto/v1/code'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { newPreset } from '../../gateway/identity/presets.ts'
import { presetAcceptor } from '../../gateway/locks/acceptors/preset.ts'
import type { Store } from '../../gateway/store/store.ts'
import { all, guardedBy, lock } from '../support/access.ts'
import { answer, join, leave, say, text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'
import { type WordAcceptor, wordAcceptor } from '../support/word-acceptor.ts'

let hall: Hall
let red: WordAcceptor

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  red = wordAcceptor('red', { nominable: true })
  const preset = presetAcceptor({
    // The store is the one of the hall that is made with it.
    store: new Proxy({} as Store, { get: (_, part) => Reflect.get(hall.store, part) }),
    random: (size) => new Uint8Array(size),
  })
  hall = new Hall({}, [red, wordAcceptor('slow', { prompt: false }), preset as never])
  hall.store.room('acme/boiler', guardedBy('red'))
  hall.store.room('acme/yard', OPEN)
})
afterEach(() => vi.useRealTimers())

async function hears(guest: Guest): Promise<string[]> {
  await hall.settle()
  return guest.heard()
}

describe('the deadline of limbo', () => {
  /** What a socket does every second, and its end after ten. */
  const endOf = async (path: string, act: (guest: Guest, second: number) => void) => {
    const guest = hall.open(path)
    for (let second = 0; second < 10; second++) {
      expect(guest.ended).toBeUndefined()
      act(guest, second)
      await hall.settle()
      hall.pass(1_000)
    }
    await hall.settle()
    return guest.ended
  }

  test.each<[string, string, (guest: Guest, second: number) => void]>([
    ['says nothing', '/v1/ws', () => {}],
    ['asks for room after room', '/v1/ws', (g, n) => g.say(join(n + 1, `room:acme/room-${n}`))],
    [
      'asks again and again',
      '/acme/boiler',
      (g, n) => g.say(leave(n + 1, 'room:acme/boiler'), join(n + 99, 'room:acme/boiler')),
    ],
    ['sends what has to wait', '/acme/boiler', (g) => g.say(text(1, 'x'), text(2, 'x'))],
    ['chooses again and again', '/acme/boiler', (g, n) => g.say(say(n + 1, 'red'))],
    ['chooses in the main lobby', '/v1/ws', (g, n) => g.say(say(n + 1, 'red'))],
    ['answers for locks that are not there', '/v1/ws', (g, n) => g.say(say(n + 1, `no-${n}`, 'x'))],
    ['asks for a lobby', '/user/acme/', (g, n) => g.say(join(n + 1, `lobby:acme-${n}`))],
  ])('is kept by who %s', async (_, path, act) => {
    expect(await endOf(path, act)).toBe(Code.LOCK_DEADLINE)
  })

  test('is longer at a lock that was given more time, from the opening on [PH-5.9]', async () => {
    hall.store.room('acme/attic', guardedBy(lock('red', {}, { deadlineMs: 30_000 })))
    const guest = hall.open('/acme/attic')
    await hall.settle()
    hall.pass(20_000)
    expect(guest.ended).toBeUndefined()
    // Giving it up gives the time back.
    guest.say(leave(1, 'room:acme/attic'))
    hall.pass(500)
    expect(guest.ended).toBe(Code.LOCK_DEADLINE)
    const other = hall.open('/acme/attic')
    hall.pass(29_500)
    other.say(join(1, 'room:acme/attic'))
    await hall.settle()
    hall.pass(1_000)
    expect(other.ended).toBe(Code.LOCK_DEADLINE)
  })

  test('is not that of who is somebody, or is in somewhere', async () => {
    hall.store.room('acme/shed')
    const somebody = hall.open().say(answer(1, hall.store.token('acme', ['shed'])))
    const inside = hall.open('/acme/yard')
    await hall.settle()
    hall.pass(20_000)
    expect([somebody.ended, inside.ended]).toEqual([undefined, undefined])
  })

  test('stays that of who has proved a place alone, until he is in it', async () => {
    hall.store.room('acme/attic', guardedBy(all('red', 'slow')))
    const guest = hall.open('/acme/attic').say(say(1, 'red', 'red'))
    expect((await hears(guest)).slice(1)).toEqual(['1 verdict passed', '0 challenge slow'])
    expect(guest.session.unlocked).toBe(false)
    hall.pass(10_500)
    expect(guest.ended).toBe(Code.LOCK_DEADLINE)
  })
})

describe('the tries of limbo', () => {
  test('are not given back by other locks, names or accounts', async () => {
    const guest = hall.open()
    const tries = [say(1, 'red', 'x'), answer(2, 'x'), say(3, 'red', 'x')]
    for (const each of tries) guest.say(each)
    expect((await hears(guest)).slice(-2)).toEqual([
      '3 verdict dropped UNAUTHENTICATED',
      '0 drop TRIES_EXHAUSTED',
    ])
  })

  test('of a room cost the connection of who came for it alone', async () => {
    const guest = hall.open('/acme/boiler')
    guest.say(say(1, 'red', 'x'), leave(2, 'room:acme/boiler'), join(3, 'room:acme/boiler'))
    guest.say(say(4, 'red', 'x'), say(5, 'red', 'x'), say(6, 'red', 'x'))
    await hall.settle()
    expect(guest.ended).toBe(Code.TRIES_EXHAUSTED)
  })
})

describe('a device (R4)', () => {
  const bytes = (words: string) => new Uint8Array(Buffer.from(words))
  const reply = (id: number, words: string) => say(id, 'preset', words)
  let uuid: string

  beforeEach(() => {
    hall.store.room('acme/site', guardedBy('preset'))
    uuid = hall.store.client('acme/pump', ['site']).id
    const data = newPreset(bytes('who?'), bytes('me'), bytes('salt'))
    hall.store.credential('acme/pump', 'preset', { ...data })
  })

  test('is challenged at its URL, answers, and is in, with no command', async () => {
    const guest = hall.open(`/acme/site/${uuid}/temp`)
    await hall.settle()
    const [challenge] = guest.take()
    expect(challenge?.body.value).toMatchObject({
      step: { value: { acceptor: 'preset', ask: { case: 'data', value: bytes('who?') } } },
    })
    guest.say(reply(1, 'me'), text(2, '21.5'))
    expect(await hears(guest)).toEqual([
      '1 verdict passed',
      '0 joined room:acme/site/temp',
      '2 receipt VOID 0',
    ])
    expect(guest.session.client).toBe('client:acme/pump')
  })

  test('answers ahead in one packet', async () => {
    const guest = hall.open(`/acme/site/${uuid.toUpperCase()}/`).say(reply(1, 'me'), text(2, 'x'))
    expect((await hears(guest)).slice(-3)).toEqual([
      '1 verdict passed',
      '0 joined room:acme/site',
      '2 receipt VOID 0',
    ])
  })

  test('of another name, or of none, is asked as much and gets nowhere', async () => {
    const unknown = '0190abcd-1234-7abc-8def-0123456789ab'
    hall.store.client('acme/valve', ['site'])
    for (const name of [unknown, hall.store.clientId('valve')]) {
      const guest = hall.open(`/acme/site/${name}/`)
      for (const id of [1, 2, 3]) guest.say(reply(id, 'me'))
      expect((await hears(guest)).filter((line) => /verdict|drop/.test(line))).toEqual([
        '1 verdict failed UNAUTHENTICATED',
        '2 verdict failed UNAUTHENTICATED',
        '3 verdict dropped UNAUTHENTICATED',
        '0 drop TRIES_EXHAUSTED',
      ])
    }
  })

  test('is not let in as itself by the proof of somebody else', async () => {
    hall.store.room('acme/open', OPEN)
    const guest = hall.open(`/acme/open/${uuid}/`)
    expect(await hears(guest)).toEqual(['0 drop ENTRY_NOT_PERMITTED'])
  })
})

describe('a proof that ends', () => {
  test('ends the connection with its code [PH-5.12, K7]', async () => {
    const expiresAt = new Date(hall.now + 5_000)
    hall = new Hall({}, [wordAcceptor('word', { proof: { expiresAt } })])
    hall.store.room('acme/shed', guardedBy('word'))
    const secret = hall.store.token('acme', ['shed'], { expiresAt })
    const guests = [
      hall.open().say(answer(1, secret)),
      hall.open('/acme/shed').say(say(1, 'word', 'word')),
      hall.open().say(answer(1, secret), join(2, 'room:acme/shed'), say(3, 'word', 'word')),
    ]
    await hall.settle()
    hall.pass(4_500)
    expect(guests.map(({ ended }) => ended)).toEqual([undefined, undefined, undefined])
    hall.pass(1_000)
    const [token, proof] = [Code.TOKEN_EXPIRED, Code.PROOF_EXPIRED]
    expect(guests.map(({ ended }) => ended)).toEqual([token, proof, token])
    await hall.settle()
    expect(hall.graph.place('acme/shed')).toBeUndefined()
  })

  test('was none where it had ended before it was shown', async () => {
    hall.store.room('acme/shed')
    const secret = hall.store.token('acme', ['shed'], { expiresAt: new Date(hall.now) })
    const guest = hall.open('/acme/shed').say(answer(1, secret))
    expect((await hears(guest)).at(-1)).toBe('1 verdict failed TOKEN_EXPIRED')
    expect(guest.session.proofs).toEqual([])
  })
})
