/** Ways into a room: by Join, by URL, by an envelope's address; its locks come first. */
import { Code } from '@porthouse/proto/v1/code'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { jsonLane } from '../../gateway/ingress/websocket/json-lane.ts'
import { answer, bye, hello, join, leave, text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { brief } from '../support/heard.ts'
import { OPEN } from '../support/memory-store.ts'

let hall: Hall
let token: string

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  hall = new Hall()
  hall.store.room('acme/boiler')
  hall.store.room('acme/attic')
  hall.store.room('acme/yard', OPEN)
  token = hall.store.token('acme', ['boiler', 'attic'])
})
afterEach(() => vi.useRealTimers())

async function hears(guest: Guest): Promise<string[]> {
  await hall.settle()
  return guest.heard()
}

/** A socket that has proved the token and whose answers to that were read. */
async function known(secret = token, path?: string): Promise<Guest> {
  const guest = hall.open(path).say(answer(1, secret))
  await hall.settle()
  guest.take()
  return guest
}

describe('all in one packet', () => {
  const message = text(4, 'hi')
  const joined = '3 joined room:acme/boiler'

  test('is answered in order, whichever of proof and join comes first', async () => {
    const proofFirst = hall.open()
    proofFirst.say(hello(1), answer(2, token), join(3, 'room:acme/boiler'), message)
    expect(await hears(proofFirst)).toEqual([
      '1 welcome',
      '2 verdict passed',
      joined,
      '4 receipt VOID 0',
    ])
    const joinFirst = hall.open()
    joinFirst.say(hello(1), join(3, 'room:acme/boiler'), answer(2, token), message)
    expect(await hears(joinFirst)).toEqual([
      '1 welcome',
      '3 challenge token',
      '2 verdict passed',
      joined,
      '4 receipt ROUTED 1',
    ])
  })

  test('in as many packets is the same', async () => {
    const guest = hall.open()
    for (const frame of [join(3, 'room:acme/boiler'), answer(2, token), message]) guest.say(frame)
    expect(await hears(guest)).toEqual([
      '3 challenge token',
      '2 verdict passed',
      joined,
      '4 receipt VOID 0',
    ])
  })

  test('goes to the room of the URL once it is entered', async () => {
    const other = await known()
    other.say(join(2, 'room:acme/boiler/temp'))
    const guest = hall.open('/acme/boiler/temp').say(hello(1), answer(2, token), message)
    expect(await hears(guest)).toEqual([
      '0 challenge token',
      '1 welcome',
      '2 verdict passed',
      '0 joined room:acme/boiler/temp',
      '4 receipt ROUTED 1',
    ])
    expect(await hears(other)).toEqual(['2 joined room:acme/boiler/temp', '0 envelope hi'])
  })

  test('nothing is handled while the room of the URL is being loaded', async () => {
    const answerStore = hall.store.hold()
    const guest = hall.open('/acme/yard').say(hello(1), text(2, 'hi'))
    expect(await hears(guest)).toEqual([])
    answerStore()
    expect(await hears(guest)).toEqual(['0 joined room:acme/yard', '1 welcome', '2 receipt VOID 0'])
  })
})

describe('locks', () => {
  test('of two rooms open with one proof [PH-5.6]', async () => {
    const guest = hall.open().say(join(1, 'room:acme/boiler'), join(2, 'room:acme/attic'))
    expect(await hears(guest)).toEqual(['1 challenge token', '2 challenge token'])
    guest.say(answer(3, token))
    expect(await hears(guest)).toEqual([
      '3 verdict passed',
      // The other lock ends by the same proof, with a verdict of its own that nothing asked for.
      '0 verdict passed',
      '2 joined room:acme/attic',
      '1 joined room:acme/boiler',
    ])
    expect(guest.session.stack.locks).toEqual([])
  })

  test('of one room that is joined twice are one', async () => {
    const guest = hall.open().say(join(1, 'room:acme/boiler/a'), join(2, 'room:acme/boiler/b'))
    expect(await hears(guest)).toEqual(['1 challenge token', '2 challenge token'])
    guest.say(answer(3, token))
    expect(await hears(guest)).toEqual([
      '3 verdict passed',
      '1 joined room:acme/boiler/a',
      '2 joined room:acme/boiler/b',
    ])
  })

  test('are skipped by who has proved enough, and asked for again of another account', async () => {
    hall.store.room('other/room')
    const guest = await known()
    guest.say(join(2, 'room:acme/boiler'), join(3, 'room:other/room'), answer(4, token))
    expect(await hears(guest)).toEqual([
      '2 joined room:acme/boiler',
      '3 challenge token',
      '4 verdict failed UNAUTHENTICATED',
    ])
    guest.say(answer(5, hall.store.token('other', ['room'])))
    expect(await hears(guest)).toEqual(['5 verdict passed', '3 joined room:other/room'])
  })

  test('given up leave nothing behind [PH-7.8]', async () => {
    const guest = await known()
    hall.store.room('other/room')
    const [one, two] = ['room:other/room/a', 'room:other/room/b']
    guest.say(join(2, one), join(3, two), leave(4, one))
    expect(await hears(guest)).toEqual(['2 challenge token', '3 challenge token', `4 left ${one}`])
    guest.say(leave(5, 'room:other/room'))
    await hall.settle()
    expect(guest.session).toMatchObject({ waiting: [], stack: { locks: [] } })
    expect(guest.ended).toBeUndefined()
  })

  test('of a room answered by the wrong token end with it; who is in elsewhere stays', async () => {
    const wrong = `pht_${'0'.repeat(32)}_${'x'.repeat(43)}`
    const guest = hall.open('/acme/yard')
    await hears(guest)
    guest.say(join(1, 'room:acme/boiler'))
    for (const id of [2, 3, 4]) guest.say(answer(id, wrong))
    expect(await hears(guest)).toEqual([
      '1 challenge token',
      '2 verdict failed UNAUTHENTICATED',
      '3 verdict failed UNAUTHENTICATED',
      '4 verdict dropped UNAUTHENTICATED',
      '1 drop TRIES_EXHAUSTED',
    ])
    const stranger = hall.open('/acme/boiler')
    for (const id of [2, 3, 4]) stranger.say(answer(id, wrong))
    expect((await hears(stranger)).slice(-2)).toEqual([
      '4 verdict dropped UNAUTHENTICATED',
      '0 drop TRIES_EXHAUSTED',
    ])
    expect(stranger.ended).toBe(Code.TRIES_EXHAUSTED)
  })

  test('that nobody answers end at their deadline, by a push [PH-5.8]', async () => {
    const guest = hall.open('/acme/yard')
    guest.say(join(1, 'room:acme/boiler'), answer(2, 'wrong'))
    await hears(guest)
    hall.pass(10_500)
    expect(await hears(guest)).toEqual(['0 verdict dropped LOCK_DEADLINE', '1 drop LOCK_DEADLINE'])
    expect(guest.ended).toBeUndefined()
    const stranger = hall.open('/acme/boiler')
    await hears(stranger)
    hall.pass(10_500)
    expect((await hears(stranger)).at(-1)).toBe('0 drop LOCK_DEADLINE')
  })

  test('judged too late prove nothing, and who is in stays', async () => {
    const guest = hall.open('/acme/yard')
    await hears(guest)
    const answerStore = hall.store.hold()
    guest.say(answer(1, token))
    await hall.settle()
    guest.say(text(2, 'waits'))
    hall.pass(10_500)
    answerStore()
    expect((await hears(guest)).slice(0, 2)).toEqual([
      '1 verdict dropped LOCK_DEADLINE',
      '2 receipt VOID 0',
    ])
    expect(guest.session.proofs).toEqual([])
  })

  test('of a room that does not exist are the same to a stranger [PH-5.10]', async () => {
    const [real, none] = ['boiler', 'none'].map((name) =>
      hall.open().say(join(1, `room:acme/${name}`), answer(2, 'wrong')),
    )
    expect(await hears(real!)).toEqual(none!.heard())
    const guest = await known()
    guest.say(join(2, 'room:acme/none'), join(3, 'room:other/none'))
    expect(await hears(guest)).toEqual(['2 drop ROOM_UNKNOWN', '3 challenge token'])
  })
})

describe('by URL', () => {
  test.each(['/acme/boiler', '/acme/boiler/temp/kitchen'])('%s is a Join', async (path) => {
    const guest = hall.open(path).say(answer(1, token))
    const address = `room:${path.slice(1)}`
    expect(await hears(guest)).toContain(`0 joined ${address}`)
  })

  test('UUIDs name what slugs do, in either case, and the answer is in slugs', async () => {
    const { id, account } = hall.store.room('acme/cellar', OPEN)
    for (const [a, r] of [
      [account.id, id],
      [account.id.toUpperCase(), 'cellar'],
      ['acme', id.toUpperCase()],
    ]) {
      const guest = hall.open(`/${a}/${r}/temp`)
      expect(await hears(guest)).toEqual(['0 joined room:acme/cellar/temp'])
      guest.say(join(1, `room:${a}/${r}`), text(2, 'hi', { to: [`room:${a}/${r}`] }))
      expect(await hears(guest)).toEqual(['1 joined room:acme/cellar', '2 receipt VOID 0'])
      expect(guest.session.memberships.size).toBe(1)
      guest.vanish()
    }
  })

  test('a refusal ends the connection with its code [PH-1.7]', async () => {
    const none = await known(token, '/acme/none')
    expect(none.ended).toBe(Code.ROOM_UNKNOWN)
    const other = await known(hall.store.token('acme', ['attic']), '/acme/boiler')
    expect(other.ended).toBe(Code.ENTRY_NOT_PERMITTED)
  })

  test('a token that may only send enters to send', async () => {
    const mute = hall.store.token('acme', ['boiler'], { receive: false })
    const guest = hall.open('/acme/boiler').say(answer(1, mute), text(2, 'hi'))
    await hall.settle()
    const frames = guest.take()
    expect(frames.map(brief).slice(1)).toEqual([
      '1 verdict passed',
      '0 joined room:acme/boiler',
      '2 receipt VOID 0',
    ])
    expect(frames[2]!.body.value).toMatchObject({
      action: { value: { maySend: true, listening: false } },
    })
  })

  test('with a client is for that client alone (R5)', async () => {
    const secret = hall.store.token('acme', ['boiler'], { client: 'pump' })
    const id = hall.store.clientId('pump')
    for (const path of [`/acme/boiler/${id}/`, `/acme/boiler/${id.toUpperCase()}`]) {
      expect((await known(secret, path)).session.target).toMatchObject({ channel: '' })
    }
    const { session } = await known(secret, `/acme/boiler/${id}/temp`)
    expect(session.target).toMatchObject({ channel: 'temp' })
    const other = await known(token, `/acme/boiler/${id}/temp`)
    expect(other.ended).toBe(Code.ENTRY_NOT_PERMITTED)
  })

  test('the place entered by is the default target until it is left (R27)', async () => {
    const listens = async (address: string) => {
      const guest = await known()
      guest.say(join(2, address))
      await hears(guest)
      return guest
    }
    const boiler = await listens('room:acme/boiler')
    const attic = await listens('room:acme/attic')
    const guest = hall.open('/acme/boiler/temp').say(answer(1, token))
    guest.say(join(2, 'room:acme/attic'), text(3, 'one'), leave(4, 'room:acme/boiler'))
    guest.say(text(5, 'two'), join(6, 'room:acme/attic/*'), text(7, 'three'))
    expect((await hears(guest)).filter((line) => line.includes('receipt'))).toEqual([
      '3 receipt ROUTED 1',
      '5 receipt VOID 0',
      '7 receipt ROUTED 1',
    ])
    expect(boiler.heard()).toEqual(['0 envelope one'])
    expect(attic.heard()).toEqual(['0 envelope three'])
  })
})

describe('by an address on an envelope', () => {
  test('a room is entered to send, where the proofs open it [PH-6.8]', async () => {
    const guest = await known()
    guest.say(
      text(2, 'hi', { to: ['room:acme/boiler/temp', 'room:acme/yard'] }),
      text(3, 'nowhere'),
    )
    expect(await hears(guest)).toEqual(['2 receipt VOID 0', '3 receipt VOID 0'])
    expect(guest.session).toMatchObject({ target: undefined, memberships: { size: 2 } })
    guest.say(text(4, 'hi', { to: ['room:acme/boiler'] }))
    expect(guest.session.busy).toBe(false)
  })

  test('what refuses is told for each destination, and messages keep their order', async () => {
    const listener = hall.open('/acme/yard')
    await hears(listener)
    const mute = await known(hall.store.token('acme', ['boiler'], { send: false }))
    mute.say(
      text(2, 'first', {
        to: ['room:acme/boiler', 'room:acme/attic', 'room:acme/none', 'room:acme/yard', 'room:x'],
      }),
      text(3, 'second', { to: ['room:acme/yard'] }),
    )
    await hall.settle()
    const [first, second] = mute.take()
    expect(brief(first!)).toBe('2 receipt ROUTED 1')
    expect(first!.body.value).toMatchObject({
      rejections: [
        { address: 'room:acme/boiler', code: Code.SEND_NOT_PERMITTED },
        { address: 'room:acme/attic', code: Code.ENTRY_NOT_PERMITTED },
        { address: 'room:acme/none', code: Code.ROOM_UNKNOWN },
        { address: 'room:x', code: Code.ADDRESS_INVALID },
      ],
    })
    expect(brief(second!)).toBe('3 receipt ROUTED 1')
    expect(listener.heard()).toEqual(['0 envelope first', '0 envelope second'])
  })

  test('a room of another account stays shut, whether there is one or not', async () => {
    hall.store.room('other/room')
    const guest = await known()
    for (const name of ['room', 'none']) {
      const wrong = [5, 6, 7].map((id) => answer(id, token))
      guest.say(text(2, 'a', { to: [`room:other/${name}`] }), ...wrong)
      expect(await hears(guest)).toEqual([
        '0 challenge token',
        '5 verdict failed UNAUTHENTICATED',
        '6 verdict failed UNAUTHENTICATED',
        '7 verdict dropped UNAUTHENTICATED',
        '2 receipt REJECTED TRIES_EXHAUSTED',
      ])
    }
  })

  test('a socket that is gone meanwhile leaves no room loaded', async () => {
    const guest = await known()
    const answerStore = hall.store.hold()
    guest.say(text(2, 'hi', { to: ['room:acme/yard'] }))
    guest.vanish()
    answerStore()
    await hall.settle()
    expect(hall.graph.place('acme/yard')).toBeUndefined()
    expect(hall.sessions.count).toBe(0)
  })
})

test('what is under way when a socket leaves changes nothing any more', async () => {
  const answerStore = hall.store.hold()
  const guest = hall.open('/acme/yard').say(bye)
  const other = hall.open().say(answer(1, token), join(2, 'room:acme/yard'))
  other.vanish()
  answerStore()
  await hall.settle()
  expect(other.heard()).toEqual([])
  // The client that leaves in order waits for its own entry first.
  expect(guest.ended).toBe(Code.UNSPECIFIED)
  expect(hall.sessions.count).toBe(0)
  expect(hall.graph.place('acme/yard')).toBeUndefined()
})

test('a JSON socket enters in the same words', async () => {
  const guest = hall.open('/acme/boiler', jsonLane).say(hello(1), answer(2, token), text(3, 'hi'))
  expect(await hears(guest)).toEqual([
    '0 challenge token',
    '1 welcome',
    '2 verdict passed',
    '0 joined room:acme/boiler',
    '3 receipt VOID 0',
  ])
})
