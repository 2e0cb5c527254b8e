/** Who gets in without a right of his own, and who tries to (decision 9, A10, A11). */
import { beforeEach, describe, expect, test } from 'vitest'
import type { LockContext, LockStep } from '../../gateway/locks/acceptor.ts'
import type { Grant } from '../../gateway/store/store.ts'
import { all, any, guardedBy, type Spec } from '../support/access.ts'
import { answer, join, leave, say, text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import type { TokenOptions } from '../support/memory-store.ts'
import { wordAcceptor } from '../support/word-acceptor.ts'

const BOILER = 'room:acme/boiler'

let hall: Hall

beforeEach(() => {
  // `vouch` knows everybody in every account, but nothing of rights.
  const vouch = wordAcceptor('vouch', {
    nominable: true,
    proof: { visitor: true },
    finished: ({ proofs, place }) =>
      proofs.some(
        ({ acceptor, account }) => acceptor === 'vouch' && account?.slug === place?.account,
      ),
    answer: (_, context) => vouched(context),
  })
  hall = new Hall({}, [wordAcceptor('red'), wordAcceptor('green'), vouch])
  hall.store.room('acme/other')
  hall.store.client('acme/ann')
})

/** In the main lobby and in `acme`: ann of acme, who is a visitor wherever people are asked. */
async function vouched({ place }: LockContext): Promise<LockStep> {
  const ann = await hall.store.clients.find(place?.account ?? 'acme', 'ann')
  if (!ann) return { outcome: 'failed', code: 50 }
  const { account, grants } = ann
  const values = { client: `client:${account.slug}/ann` }
  const proof = { acceptor: 'vouch', values, account, client: ann, grants, visitor: true } as const
  return { outcome: 'passed', proof }
}

async function hears(guest: Guest): Promise<string[]> {
  await hall.settle()
  return guest.heard()
}

const room = (name: string, flow: Spec, more = {}) =>
  hall.store.room(`acme/${name}`, guardedBy(flow, more))

/** What a socket may do in the boiler room, once it has said all this. */
async function rights(...frames: Parameters<Guest['say']>): Promise<string[]> {
  const guest = hall.open().say(...frames)
  await hall.settle()
  guest.take()
  guest.say(join(90, BOILER), join(91, BOILER, true), text(92, 'hi', { to: [BOILER] }))
  const heard = await hears(guest)
  guest.vanish()
  return heard.map((line) => line.replace(/^\d+ /, ''))
}

const IN = ['joined room:acme/boiler', 'joined room:acme/boiler', 'receipt VOID 0']
const HEARS = [
  'joined room:acme/boiler',
  'drop SEND_NOT_PERMITTED',
  'receipt REJECTED SEND_NOT_PERMITTED',
]
const SENDS = ['drop RECEIVE_NOT_PERMITTED', 'joined room:acme/boiler', 'receipt VOID 0']
const OUT = [
  'drop ENTRY_NOT_PERMITTED',
  'drop ENTRY_NOT_PERMITTED',
  'receipt REJECTED ENTRY_NOT_PERMITTED',
]

const token = (options: TokenOptions = {}, rooms = ['boiler']) =>
  answer(3, hall.store.token('acme', rooms, options))

describe('a visitor', () => {
  test('is who has resolved a lock of the room that says nothing of rights', async () => {
    room('boiler', 'red')
    expect(await rights(join(1, BOILER), say(2, 'red', 'red'))).toEqual(IN)
  })

  test.each([
    [{ receive: true }, HEARS],
    [{ send: true }, SENDS],
    [{}, OUT],
    [{ send: true, receive: true }, IN],
  ])('may do %o, as the room says, and no more', async (visitors, expected) => {
    room('boiler', 'red', { visitors })
    expect(await rights(join(1, BOILER), say(2, 'red', 'red'))).toEqual(expected)
  })

  test('is one of whom an acceptor of the room vouches', async () => {
    room('boiler', any('red', 'vouch'))
    expect(await rights(say(1, 'vouch', 'x'))).toEqual(IN)
    expect(await rights(join(1, BOILER), say(2, 'vouch', 'x'))).toEqual(IN)
  })

  test('comes in again without a question', async () => {
    room('boiler', 'red')
    const guest = hall.open().say(join(1, BOILER), say(2, 'red', 'red'), leave(3, BOILER))
    await hall.settle()
    guest.take()
    expect(await hears(guest.say(join(4, BOILER)))).toEqual(['4 joined room:acme/boiler'])
  })

  test('reaches those in his room, and nobody else in the account', async () => {
    room('boiler', 'red')
    const secret = hall.store.token('acme', ['boiler', 'other'], { client: 'bob' })
    const [inside, outside] = [1, 2].map(() => hall.open().say(answer(1, secret)))
    inside!.say(join(2, BOILER), say(3, 'red', 'red'))
    const guest = hall.open('/acme/boiler').say(say(1, 'red', 'red'))
    await hall.settle()
    guest.take()
    guest.say(
      text(2, 'x', { to: [inside!.session.address] }),
      text(3, 'x', { to: [outside!.session.address] }),
      text(4, 'x', { to: ['client:acme/bob'] }),
    )
    expect(await hears(guest)).toEqual([
      '2 receipt ROUTED 1',
      '3 receipt VOID 0',
      '4 receipt ROUTED 1',
    ])
  })
})

describe('rights by name', () => {
  test('come with a proof of nobody, where it was told them for this place', async () => {
    const told: Grant[] = []
    hall = new Hall({}, [wordAcceptor('judge', { proof: { grants: told } })])
    const { id: roomId } = room('boiler', 'judge')
    room('attic', 'judge')
    const none = { send: false, receive: false, admit: false, channels: [] }
    told.push({ ...none, roomId, room: 'boiler', receive: true })
    expect(await rights(join(1, BOILER), say(2, 'judge', 'judge'))).toEqual(HEARS)
    const guest = hall.open('/acme/attic').say(say(1, 'judge', 'judge'), join(2, BOILER))
    expect((await hears(guest)).at(-1)).toBe('2 challenge judge')
  })

  test.each<[string, TokenOptions, readonly string[]]>([
    ['to send', { receive: false }, SENDS],
    ['to listen', { send: false }, HEARS],
    ['to nothing', { send: false, receive: false }, OUT],
  ])('%s win over those of a visitor, also where they are fewer', async (_, options, expected) => {
    room('boiler', 'token', { visitors: { send: true, receive: true, admit: true } })
    expect(await rights(token(options))).toEqual(expected)
  })

  test('win over what somebody else vouches for', async () => {
    room('boiler', any('vouch', 'token'))
    expect(await rights(say(1, 'vouch', 'x'), token({ send: false }))).toEqual(HEARS)
  })

  test('of one token are not given away by another that has none', async () => {
    room('boiler', 'token', { visitors: { send: true } })
    expect(await rights(token({ send: false }), token({}, ['other']))).toEqual(HEARS)
  })

  test('to a channel are for that channel, whatever visitors may do', async () => {
    room('boiler', 'token', { visitors: { send: true, receive: true } })
    const guest = hall.open().say(token({ channels: ['a'] }))
    await hall.settle()
    guest.take()
    guest.say(join(1, BOILER), join(2, `${BOILER}/a`), text(4, 'x', { to: [`${BOILER}/b`] }))
    expect(await hears(guest)).toEqual([
      '1 drop CHANNEL_NOT_PERMITTED',
      '2 joined room:acme/boiler/a',
      '4 receipt REJECTED CHANNEL_NOT_PERMITTED',
    ])
  })

  test('are none for a token without them, unless the room has visitors', async () => {
    room('boiler', 'token')
    expect(await rights(token({}, ['other']))).toEqual(OUT)
    hall.store.deleteRoom('acme/boiler')
    room('boiler', 'token', { visitors: { receive: true } })
    expect(await rights(token({}, ['other']))).toEqual(HEARS)
  })
})

describe('a proof of something else', () => {
  const ATTIC = 'room:acme/attic'
  const provedAttic = [join(1, ATTIC), say(2, 'red', 'red')]

  test('for another room does not open the lock, though the word is the same', async () => {
    room('attic', 'red')
    room('boiler', 'red')
    expect(await rights(...provedAttic)).toEqual(['challenge red', 'challenge red'])
  })

  test('for another room makes nobody a visitor whom a token has let through', async () => {
    room('attic', 'red')
    room('boiler', any('red', 'token'))
    expect(await rights(...provedAttic, token({}, ['other']))).toEqual(OUT)
  })

  test('for another room of that name, in another account, neither', async () => {
    hall.store.room('evil/boiler', guardedBy('red'))
    room('boiler', any('red', 'token'))
    const proved = [join(1, 'room:evil/boiler'), say(2, 'red', 'red')]
    expect(await rights(...proved, token({}, ['other']))).toEqual(OUT)
    expect((await rights(...proved))[0]).toBe('challenge red')
  })

  test('by an acceptor that the room does not ask makes nobody a visitor', async () => {
    room('boiler', 'token')
    expect(await rights(say(1, 'vouch', 'x'), token({}, ['other']))).toEqual(OUT)
  })

  test('of half of the locks does not open the others', async () => {
    room('boiler', all('red', 'green'))
    const heard = await rights(join(1, BOILER), say(2, 'red', 'red'))
    expect(heard).toEqual(['challenge green', 'challenge green'])
  })

  test('of nobody opens nothing of an account, its lobby among it', async () => {
    room('boiler', 'red')
    const guest = hall.open('/acme/boiler').say(say(1, 'red', 'red'), join(2, 'lobby:acme'))
    guest.say(join(3, 'room:acme/other'))
    expect((await hears(guest)).slice(-2)).toEqual(['2 challenge token', '3 challenge token'])
  })

  test('is no proof once the lock has changed', async () => {
    room('boiler', 'red')
    const guest = hall.open('/acme/boiler').say(say(1, 'red', 'red'), leave(2, BOILER))
    await hall.settle()
    guest.take()
    hall.store.configure('acme/boiler', guardedBy('green'))
    expect(await hears(guest.say(join(3, BOILER)))).toEqual(['3 challenge green'])
  })
})

describe('other accounts', () => {
  test('look the same whether there is something or nothing (A15)', async () => {
    hall.store.room('evil/room')
    hall.store.room('evil/locked', guardedBy('token'))
    const eve = hall.open().say(answer(1, hall.store.token('evil', ['room'], { client: 'eve' })))
    await hall.settle()
    const id = eve.session.proofs[0]!.token!.id
    const probe = async (...addresses: string[]) => {
      const guest = hall.open().say(token())
      await hall.settle()
      guest.take()
      const [joins, sends] = [addresses.slice(0, 2), addresses]
      guest.say(...joins.map((address) => join(1, address)))
      guest.say(...sends.map((address) => text(2, 'x', { to: [address] })))
      const wrong = [3, 4, 5].map((n) => answer(n, 'wrong'))
      guest.say(...wrong, ...wrong)
      return hears(guest)
    }
    const there = await probe(
      'room:evil/room',
      'lobby:evil',
      'client:evil/eve',
      eve.session.address,
      `token:${id}/1`,
    )
    const none = await probe(
      'room:evil/none',
      'lobby:none',
      'client:evil/none',
      'socket:zzzzzzzzzzzzzzzz',
      'token:0190abcd-1234-7abc-8def-0123456789ab/1',
    )
    expect(there).toEqual(none)
    expect(await hears(eve)).toEqual(['1 verdict passed'])
  })
})
