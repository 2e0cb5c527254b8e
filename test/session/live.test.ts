/** What changes in the store is felt by live sockets (R51): who they are, and what they may do. */
import type { Block } from '@porthouse/proto/room/v1/config'
import { Code } from '@porthouse/proto/v1/code'
import type { Joined, Left } from '@porthouse/proto/v1/room'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Acceptor } from '../../gateway/locks/acceptor.ts'
import type { Proof } from '../../gateway/locks/proof.ts'
import type { NewGrant } from '../../gateway/store/store.ts'
import { answer, type FrameInit, join, text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'

/** What whoever answers `vouch` proves by it, in the main lobby. */
let vouched: Proof

const vouch: Acceptor = {
  name: 'vouch',
  readOptions: () => undefined,
  nominable: true,
  prompt: true,
  finished: ({ proofs }) => proofs.some(({ acceptor }) => acceptor === 'vouch'),
  begin: () => ({ outcome: 'challenge', ask: { case: undefined } }),
  answer: () => ({ outcome: 'passed', proof: vouched }),
}

/** The config of a room whose lock is `vouch`. */
const LOCKED: Block['kind'] = { case: 'access', value: { locks: ['vouch'] } as never }

let hall: Hall

beforeEach(async () => {
  hall = new Hall({}, [vouch])
  for (const room of ['boiler', 'attic', 'cellar']) hall.store.room(`acme/${room}`)
  hall.store.room('acme/yard', OPEN)
  await hall.live.start()
})
afterEach(() => hall.live.stop())

async function hears(guest: Guest): Promise<string[]> {
  await hall.settle()
  return guest.heard()
}

/** Says frames, and forgets what comes of them. */
async function having(guest: Guest, ...frames: FrameInit[]): Promise<Guest> {
  guest.say(...frames)
  await hears(guest)
  return guest
}

const holder = (secret: string, ...frames: FrameInit[]) =>
  having(hall.open(), answer(1, secret), ...frames)

const BOILER = 'room:acme/boiler'
const ATTIC = 'room:acme/attic'

function vouching(id: number): FrameInit {
  const value = { acceptor: 'vouch', response: { case: 'text' as const, value: '' } }
  return { id, body: { case: 'lockStep', value: { step: { case: 'answer', value } } } }
}

/** The pushed frames of rooms, as far as they matter. */
async function told(guest: Guest): Promise<object[]> {
  await hall.settle()
  return guest.take().map(({ id, body }) => {
    expect(id).toBe(0)
    if (body.case !== 'room') return { [`${body.case}`]: true }
    const { case: kind, value } = body.value.action
    if (kind === 'left') return { left: value.address, code: (value as Left).code }
    const { address, maySend, listening } = value as Joined
    return { joined: address, maySend, listening }
  })
}

describe('a token', () => {
  test('that is given a room is in it at once', async () => {
    const secret = hall.store.token('acme', ['boiler'])
    const guest = await holder(secret, join(2, BOILER))
    hall.store.changeToken(secret, ['boiler', 'attic'])
    expect(await told(guest)).toEqual([{ joined: ATTIC, maySend: true, listening: true }])
    const speaker = await holder(hall.store.token('acme', ['attic']))
    speaker.say(text(1, 'hi', { to: [ATTIC] }))
    expect(await hears(speaker)).toEqual(['1 receipt ROUTED 1'])
    expect(await hears(guest)).toEqual(['0 envelope hi'])
  })

  test('that has a room taken is out of it, and hears and says nothing there (A9)', async () => {
    const secret = hall.store.token('acme', ['boiler', 'attic'])
    const speaker = await holder(hall.store.token('acme', ['boiler']), join(2, BOILER))
    const guest = await holder(secret, join(2, BOILER), join(3, ATTIC))
    speaker.say(text(3, 'before'))
    hall.store.changeToken(secret, ['attic'])
    expect(await hears(guest)).toEqual(['0 envelope before', `0 left ${BOILER}`])
    speaker.take()
    speaker.say(text(4, 'after'))
    guest.say(text(5, 'me too', { to: [BOILER] }), text(6, 'here', { to: [ATTIC] }))
    expect(await hears(speaker)).toEqual(['4 receipt VOID 0'])
    expect(await hears(guest)).toEqual([
      '5 receipt REJECTED ENTRY_NOT_PERMITTED',
      '6 receipt VOID 0',
    ])
  })

  test('is told which right is left of the two', async () => {
    const secret = hall.store.token('acme', ['boiler'])
    const guest = await holder(secret, join(2, BOILER))
    const other = await holder(hall.store.token('acme', ['boiler']), join(2, BOILER))
    hall.store.changeToken(secret, [{ room: 'boiler', receive: true }])
    expect(await told(guest)).toEqual([{ joined: BOILER, maySend: false, listening: true }])
    guest.say(text(3, 'hi'))
    expect(await hears(guest)).toEqual(['3 receipt REJECTED SEND_NOT_PERMITTED'])
    hall.store.changeToken(secret, [{ room: 'boiler', send: true }])
    expect(await told(guest)).toEqual([{ joined: BOILER, maySend: true, listening: false }])
    other.say(text(3, 'unheard'))
    guest.say(text(4, 'said'))
    expect(await hears(guest)).toEqual(['4 receipt ROUTED 1'])
    expect(await hears(other)).toEqual(['3 receipt VOID 0', '0 envelope said'])
    hall.store.changeToken(secret, [])
    expect(await told(guest)).toEqual([{ left: BOILER, code: Code.ENTRY_NOT_PERMITTED }])
    expect(guest.ended).toBeUndefined()
  })

  test('whose terms do not change is told nothing', async () => {
    const secret = hall.store.token('acme', ['boiler'])
    const guest = await holder(secret, join(2, BOILER))
    hall.store.changeToken(secret, ['boiler'])
    hall.store.tell()
    expect(await hears(guest)).toEqual([])
  })

  test('with fewer channels ends what is outside of them, and says which', async () => {
    const only = (...channels: string[]): NewGrant[] => [
      { room: 'boiler', send: true, receive: true, channels },
    ]
    const secret = hall.store.token('acme', ['boiler'])
    const guest = await holder(secret, join(2, `${BOILER}/a`), join(3, `${BOILER}/b/**`))
    const other = await holder(hall.store.token('acme', ['boiler']))
    hall.store.changeToken(secret, only('a', 'c'))
    const code = Code.CHANNEL_NOT_PERMITTED
    expect(await told(guest)).toEqual([{ left: `${BOILER}/b/**`, code }])
    const say = (id: number, channel: string) => text(id, channel, { to: [`${BOILER}/${channel}`] })
    other.say(say(2, 'a'), say(3, 'b/x'), say(4, 'c'))
    expect(await hears(guest)).toEqual(['0 envelope a'])
    guest.say(say(5, 'b/x'), say(6, 'c'), join(7, `${BOILER}/c`), join(8, BOILER))
    expect(await hears(guest)).toEqual([
      '5 receipt REJECTED CHANNEL_NOT_PERMITTED',
      '6 receipt VOID 0',
      `7 joined ${BOILER}/c`,
      '8 drop CHANNEL_NOT_PERMITTED',
    ])
    hall.store.changeToken(secret, only('d'))
    expect(await told(guest)).toEqual([
      { left: `${BOILER}/a`, code },
      { left: `${BOILER}/c`, code },
      { joined: BOILER, maySend: true, listening: false },
    ])
  })

  test('that loses the room itself keeps the channels that it listens to', async () => {
    const secret = hall.store.token('acme', ['boiler'])
    const guest = await holder(secret, join(2, BOILER), join(3, `${BOILER}/a`))
    hall.store.changeToken(secret, [{ room: 'boiler', receive: true, channels: ['a'] }])
    expect(await told(guest)).toEqual([{ joined: BOILER, maySend: false, listening: true }])
    const other = await holder(hall.store.token('acme', ['boiler']))
    other.say(text(2, 'all', { to: [BOILER] }), text(3, 'a', { to: [`${BOILER}/a`] }))
    expect(await hears(guest)).toEqual(['0 envelope a'])
  })

  test('that is regenerated or deleted drops its sockets for good (K8)', async () => {
    const secrets = [1, 2].map(() => hall.store.token('acme', ['boiler']))
    const guests = await Promise.all(
      secrets.flatMap((secret) => [1, 2, 3].map(() => holder(secret, join(2, BOILER)))),
    )
    const fresh = hall.store.regenerateToken(secrets[0]!)
    hall.store.deleteToken(secrets[1]!)
    for (const guest of guests) {
      expect(await hears(guest)).toEqual(['0 drop REVOKED'])
      expect(guest.ended).toBe(Code.REVOKED)
    }
    expect(hall.sessions.count).toBe(0)
    for (const secret of secrets) {
      const again = hall.open().say(answer(1, secret), join(2, BOILER))
      expect(await hears(again)).toContain('1 verdict failed UNAUTHENTICATED')
    }
    const guest = hall.open().say(answer(1, fresh), join(2, BOILER))
    expect(await hears(guest)).toEqual(['1 verdict passed', `2 joined ${BOILER}`])
  })

  test('that sends on after it was revoked is not heard', async () => {
    const listener = await holder(hall.store.token('acme', ['boiler']), join(2, BOILER))
    const secret = hall.store.token('acme', ['boiler'])
    const guest = await holder(secret, join(2, BOILER))
    hall.store.deleteToken(secret)
    await hall.settle()
    guest.say(text(3, 'x'), text(4, 'y', { to: [BOILER] }))
    expect(await hears(listener)).toEqual([])
  })

  test('keeps its idempotency keys through a change', async () => {
    const secret = hall.store.token('acme', ['boiler'])
    const guest = await holder(secret, join(2, BOILER))
    const once = text(3, 'hi', { idempotencyKey: 'k' })
    guest.say(once)
    hall.store.changeToken(secret, ['boiler', 'attic'])
    await hears(guest)
    guest.say(once)
    expect(await hears(guest)).toEqual(['3 receipt DUPLICATE 0'])
    hall.store.changeToken(secret, [{ room: 'boiler', receive: true }])
    await hears(guest)
    guest.say(once)
    expect(await hears(guest)).toEqual(['3 receipt REJECTED SEND_NOT_PERMITTED'])
  })

  test('with another method or rate sends by these', async () => {
    const secret = hall.store.token('acme', ['boiler'])
    const guests = [await holder(secret, join(2, BOILER)), await holder(secret, join(2, BOILER))]
    hall.store.changeTerms(secret, { method: 'binary', rate: undefined })
    await hall.settle()
    for (const guest of guests) {
      guest.take()
      guest.say(text(3, 'hi'), text(4, 'hi', { to: [`socket:${guest.session.id}`] }))
      expect(await hears(guest)).toEqual([
        '3 receipt REJECTED METHOD_NOT_PERMITTED',
        '4 receipt REJECTED METHOD_NOT_PERMITTED',
      ])
    }
    hall.store.changeTerms(secret, { method: undefined, rate: { perSecond: 1, burst: 3 } })
    await hall.settle()
    // One bucket for all its connections.
    for (const guest of guests) {
      guest.say(text(3, 'a'), text(4, 'b'))
      await hall.settle()
    }
    const said = guests.flatMap((guest) => guest.heard().filter((line) => /receipt/.test(line)))
    expect(said.filter((line) => /ROUTED/.test(line))).toHaveLength(3)
    expect(said.filter((line) => /RATE_LIMITED/.test(line))).toHaveLength(1)
  })

  test('that is to end sooner ends sooner (K7)', async () => {
    const secret = hall.store.token('acme', ['boiler'])
    const guest = await holder(secret, join(2, BOILER))
    hall.store.changeTerms(secret, { expiresAt: new Date(hall.now + 1) })
    await hall.settle()
    expect(guest.session.proofs[0]!.expiresAt).toEqual(new Date(hall.now + 1))
  })

  test('that may have fewer connections loses those with the highest numbers', async () => {
    const secret = hall.store.token('acme', ['boiler'])
    const guests: Guest[] = []
    for (let i = 0; i < 5; i++) guests.push(await holder(secret, join(2, BOILER)))
    hall.store.changeTerms(secret, { maxConnections: 2 })
    await hall.settle()
    expect(guests.map(({ ended }) => ended)).toEqual([
      undefined,
      undefined,
      Code.SHARE_LIMIT,
      Code.SHARE_LIMIT,
      Code.SHARE_LIMIT,
    ])
    expect(guests.slice(0, 2).map(({ session }) => session.actors[0]!.address)).toEqual(
      [1, 2].map((n) => `token:${guests[0]!.session.proofs[0]!.token!.id}/${n}`),
    )
    const [first, second] = guests as [Guest, Guest]
    first.say(text(3, 'hi'))
    await hall.settle()
    const [envelope] = second.take().slice(-1)
    expect(envelope!.body.value).toMatchObject({
      stamp: { from: first.session.actors[0]!.address },
    })
  })
})

describe('whoever holds', () => {
  const holders = {
    'a client by a credential': () => {
      const client = hall.store.client('acme/ann', ['boiler'])
      const { id } = hall.store.credential('acme/ann', 'ssh-key', {})
      const { account, grants } = client
      vouched = { acceptor: 'vouch', values: {}, account, client, credential: id, grants }
      return {
        gone: [() => hall.store.deleteCredential(id), () => hall.store.deleteClient('acme/ann')],
      }
    },
    'a client that somebody else knows': () => {
      const client = hall.store.client('acme/ann', ['boiler'])
      const { account, grants } = client
      vouched = { acceptor: 'vouch', values: {}, account, client, grants, visitor: true }
      return { gone: [() => hall.store.deleteClient('acme/ann')] }
    },
    'a token of a client': () => {
      const secret = hall.store.token('acme', ['boiler'], { client: 'ann' })
      return {
        secret,
        gone: [() => hall.store.deleteToken(secret), () => hall.store.deleteClient('acme/ann')],
      }
    },
    'an owner': () => {
      const { id, account } = hall.store.credential('acme', 'connection-key', {})
      vouched = {
        acceptor: 'vouch',
        values: {},
        account,
        owner: true,
        credential: id,
        grants: [],
      }
      return { gone: [() => hall.store.deleteCredential(id)] }
    },
  }
  const cases = Object.entries(holders)

  const enter = async (secret: string | undefined) => {
    const proof = secret ? answer(1, secret) : vouching(1)
    return having(hall.open(), proof, join(3, 'room:acme/yard'))
  }

  test.each(cases)('%s goes with it, and with its account', async (_, make) => {
    for (const [i, _gone] of make().gone.entries()) {
      hall = new Hall({}, [vouch])
      hall.store.room('acme/boiler')
      hall.store.room('acme/yard', OPEN)
      await hall.live.start()
      const { secret, gone } = make() as { secret?: string; gone: (() => void)[] }
      const guests = [await enter(secret), await enter(secret)]
      gone[i]!()
      for (const guest of guests) expect(await hears(guest)).toEqual(['0 drop REVOKED'])
    }
    const { secret } = make() as { secret?: string }
    const guest = await enter(secret)
    hall.store.deleteAccount('acme')
    await hall.settle()
    expect(guest.ended).toBe(Code.REVOKED)
    expect([...hall.core.holders.keys]).toEqual([])
  })

  test.each(cases.slice(0, 2))('%s has the rights of the client', async (_, make) => {
    make()
    for (const room of ['boiler', 'attic']) hall.store.configure(`acme/${room}`, LOCKED)
    const guest = await having(hall.open(), vouching(1), join(2, 'room:acme/yard'))
    hall.store.changeClient('acme/ann', { grants: ['boiler', 'attic'] })
    expect(await told(guest)).toEqual([{ joined: ATTIC, maySend: true, listening: true }])
    hall.store.changeClient('acme/ann', { grants: ['boiler'] })
    // Where somebody else knows him, his lock lets him in as a visitor.
    const left = [{ left: ATTIC, code: Code.ENTRY_NOT_PERMITTED }]
    expect(await told(guest)).toEqual(vouched.visitor ? [] : left)
  })

  test('a credential that is rotated ends when the overlap does', async () => {
    holders['an owner']()
    const guest = await having(hall.open(), vouching(1))
    const { credential } = guest.session.proofs[0]!
    hall.store.expireCredential(credential!, new Date(hall.now + 60_000))
    await hall.settle()
    expect(guest.session.proofs[0]!.expiresAt).toEqual(new Date(hall.now + 60_000))
    expect(guest.ended).toBeUndefined()
  })

  test('what counts for one place alone keeps the rights that it was given there', async () => {
    const client = hall.store.client('acme/ann', [])
    const boiler = await hall.store.rooms.find('acme', 'boiler')
    const grant = { send: true, receive: true, admit: false, channels: [] }
    const grants = [{ ...grant, roomId: boiler!.id, room: 'boiler' }]
    const { account } = client
    vouched = { acceptor: 'vouch', values: {}, account, client, grants, place: BOILER }
    const token = hall.store.token('acme', [])
    const guest = await having(hall.open(), vouching(1), answer(2, token), join(3, BOILER))
    hall.store.changeClient('acme/ann', { grants: ['attic'] })
    expect(await told(guest)).toEqual([])
    expect(guest.session.memberships.size).toBe(1)
  })
})

describe('several identities on one socket', () => {
  test('stand and change each by itself', async () => {
    const [one, two] = [1, 2].map(() => hall.store.token('acme', ['boiler'])) as [string, string]
    const guest = await holder(one, answer(2, two), join(3, BOILER))
    hall.store.changeToken(one, [])
    expect(await told(guest)).toEqual([])
    guest.say(text(4, 'hi'))
    expect(await hears(guest)).toEqual(['4 receipt VOID 0'])
    hall.store.changeToken(two, [])
    expect(await told(guest)).toEqual([{ left: BOILER, code: Code.ENTRY_NOT_PERMITTED }])
    hall.store.changeToken(one, ['attic'])
    hall.store.changeToken(two, ['attic', 'boiler'])
    const joins = (await told(guest)) as { joined: string }[]
    expect(joins.map(({ joined }) => joined).sort()).toEqual([ATTIC, BOILER])
  })

  test('fall with the first that is revoked, and give their places back', async () => {
    const shared = hall.store.token('acme', ['boiler'], { maxConnections: 1 })
    const other = hall.store.token('acme', ['attic'])
    const guest = await holder(shared, answer(2, other), join(3, BOILER))
    hall.store.deleteToken(other)
    expect(await hears(guest)).toEqual(['0 drop REVOKED'])
    const next = hall.open().say(answer(1, shared))
    expect(await hears(next)).toEqual(['1 verdict passed'])
  })
})

describe('a client that may have fewer sockets', () => {
  test.each(['tokens', 'credentials'])(
    'by %s: all but the newest go where it is one',
    async (by) => {
      const client = hall.store.client('acme/ann', ['boiler'])
      const { account, grants } = client
      vouched = { acceptor: 'vouch', values: {}, account, client, grants }
      const guests: Guest[] = []
      for (let i = 0; i < 4; i++) {
        const secret = hall.store.token('acme', ['boiler'], { client: 'ann' })
        guests.push(await having(hall.open(), by === 'tokens' ? answer(1, secret) : vouching(1)))
      }
      hall.store.changeClient('acme/ann', { maxSockets: 1 })
      await hall.settle()
      const { REPLACED } = Code
      expect(guests.map(({ ended }) => ended)).toEqual([REPLACED, REPLACED, REPLACED, undefined])
      // And from now on the newer takes over.
      const secret = hall.store.token('acme', ['boiler'], { client: 'ann' })
      const next = await having(hall.open(), by === 'tokens' ? answer(1, secret) : vouching(1))
      await hall.settle()
      expect([guests[3]!.ended, next.ended]).toEqual(
        by === 'tokens' ? [REPLACED, undefined] : [undefined, undefined],
      )
    },
  )

  test('the newest beyond the bound go where it is more', async () => {
    const secret = hall.store.token('acme', ['boiler'], { client: 'ann' })
    const guests: Guest[] = []
    for (let i = 0; i < 4; i++) guests.push(await holder(secret))
    hall.store.changeClient('acme/ann', { maxSockets: 2 })
    await hall.settle()
    const { SOCKET_LIMIT } = Code
    expect(guests.map(({ ended }) => ended)).toEqual([
      undefined,
      undefined,
      SOCKET_LIMIT,
      SOCKET_LIMIT,
    ])
    const next = hall.open().say(answer(1, secret))
    expect(await hears(next)).toContain('0 drop SOCKET_LIMIT')
  })
})
