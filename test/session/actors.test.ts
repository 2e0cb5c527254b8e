/** Several clients and tokens on one socket: who sends, by which rights and terms (R8, R33). */
import type { Envelope } from '@porthouse/proto/v1/envelope'
import { beforeEach, describe, expect, test } from 'vitest'
import { guardedBy } from '../support/access.ts'
import { answer, join, say, text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { envelopes, textOf } from '../support/heard.ts'
import { OPEN, type TokenOptions } from '../support/memory-store.ts'
import { wordAcceptor } from '../support/word-acceptor.ts'

const [BOILER, YARD] = ['room:acme/boiler', 'room:acme/yard'] as const

let hall: Hall

beforeEach(() => {
  hall = new Hall({}, [wordAcceptor('red', { nominable: true })])
  for (const room of ['boiler', 'attic']) hall.store.room(`acme/${room}`)
  hall.store.room('acme/yard', OPEN)
})

async function hears(guest: Guest): Promise<string[]> {
  await hall.settle()
  return guest.heard()
}

/** A socket that is all of these, in this order. */
async function being(...clients: [name: string | undefined, options?: TokenOptions][]) {
  const guest = hall.open()
  for (const [client, options] of clients) {
    const named = client === undefined ? {} : { client }
    guest.say(answer(1, hall.store.token('acme', ['boiler'], { ...named, ...options })))
  }
  await hall.settle()
  guest.take()
  return guest
}

/** Somebody who is in both rooms, and what he heard, by sender. */
async function ear(): Promise<() => Promise<string[]>> {
  const guest = await being([undefined])
  guest.say(join(1, BOILER), join(2, YARD))
  await hall.settle()
  guest.take()
  return async () => {
    await hall.settle()
    return envelopes(guest.take()).map((each: Envelope) => `${each.stamp?.from}: ${textOf(each)}`)
  }
}

describe('whoever is said to send', () => {
  test('is whom the message is from, and whose rights count [PH-6.16]', async () => {
    const heard = await ear()
    const guest = await being(['ann', { send: false }], ['bob'])
    guest.say(join(1, BOILER))
    guest.say(
      text(2, 'a', { to: [BOILER], acting: 'client:acme/ann' }),
      text(3, 'b', { to: [BOILER], acting: 'client:acme/bob' }),
      text(4, 'c', { to: [BOILER] }),
      text(5, 'd', { acting: 'client:acme/bob' }),
    )
    expect(await hears(guest)).toEqual([
      '1 joined room:acme/boiler',
      '2 receipt REJECTED SEND_NOT_PERMITTED',
      '3 receipt ROUTED 1',
      '4 receipt ROUTED 1',
      '5 receipt ROUTED 1',
    ])
    expect(await heard()).toEqual(['b', 'c', 'd'].map((each) => `client:acme/bob: ${each}`))
  })

  test.each(['client:acme/eve', 'token:x', 'socket:aaaaaaaaaaaaaaaa', 'client:acme/ann/', ' '])(
    'is %j, which the socket is not, and is refused',
    async (acting) => {
      const guest = await being(['ann'])
      await being(['eve'])
      guest.say(join(1, BOILER), text(2, 'x', { to: [BOILER], acting }), text(3, 'x', { acting }))
      expect((await hears(guest)).slice(1)).toEqual([
        '2 receipt REJECTED UNAUTHENTICATED',
        '3 receipt REJECTED UNAUTHENTICATED',
      ])
    },
  )

  test('may be any of them in an open room', async () => {
    const heard = await ear()
    const guest = await being(['ann'], ['bob'])
    for (const acting of ['client:acme/bob', 'client:acme/ann', '']) {
      guest.say(text(2, `as ${acting}`, { to: [YARD], acting }))
      expect(await hears(guest)).toEqual(['2 receipt ROUTED 1'])
    }
    expect(await heard()).toEqual([
      'client:acme/bob: as client:acme/bob',
      'client:acme/ann: as client:acme/ann',
      'client:acme/ann: as ',
    ])
  })

  test('is the first that may send to the channel, where nobody is named', async () => {
    const heard = await ear()
    const guest = await being(['ann', { channels: ['a/**'] }], ['bob', { channels: ['b'] }])
    guest.say(join(1, BOILER, true))
    const to = (channel: string) => ({ to: [`${BOILER}${channel}`] })
    guest.say(text(2, '1', to('/a/x')), text(3, '2', to('/b')), text(4, '3', to('/c')))
    guest.say(text(5, '4', to('')), text(6, '5', { ...to('/b'), acting: 'client:acme/ann' }))
    expect(await hears(guest)).toEqual([
      '1 joined room:acme/boiler',
      '2 receipt ROUTED 1',
      '3 receipt ROUTED 1',
      '4 receipt REJECTED CHANNEL_NOT_PERMITTED',
      '5 receipt REJECTED CHANNEL_NOT_PERMITTED',
      '6 receipt REJECTED CHANNEL_NOT_PERMITTED',
    ])
    expect(await heard()).toEqual(['client:acme/ann: 1', 'client:acme/bob: 2'])
  })

  test('has the rights of all of his proofs', async () => {
    const guest = await being(['ann', { channels: ['a'] }], ['ann', { channels: ['b'] }])
    guest.say(join(1, BOILER, true))
    const acting = 'client:acme/ann'
    guest.say(text(2, 'x', { to: [`${BOILER}/a`], acting }))
    guest.say(text(3, 'x', { to: [`${BOILER}/b`], acting }))
    expect((await hears(guest)).slice(1)).toEqual(['2 receipt VOID 0', '3 receipt VOID 0'])
  })

  test('keeps his idempotency keys to himself', async () => {
    const guest = await being(['ann'], ['bob'])
    const once = (id: number, acting: string) =>
      text(id, 'x', { to: [BOILER], acting, idempotencyKey: 'k' })
    guest.say(once(1, 'client:acme/ann'), once(2, 'client:acme/bob'), once(3, 'client:acme/ann'))
    expect(await hears(guest)).toEqual([
      '1 receipt VOID 0',
      '2 receipt VOID 0',
      '3 receipt DUPLICATE 0',
    ])
  })

  test('writes in his own name to others, and is answered', async () => {
    const guest = await being(['ann'], ['bob'])
    const eve = await being(['eve'])
    guest.say(text(1, 'hi', { to: ['client:acme/eve'], acting: 'client:acme/bob' }))
    await hall.settle()
    const [message] = envelopes(eve.take())
    expect(message?.stamp?.from).toBe('client:acme/bob')
    eve.say(text(2, 'ho', { to: [message?.stamp?.from ?? ''] }))
    expect(await hears(guest)).toEqual(['1 receipt ROUTED 1', '0 envelope ho'])
  })
})

describe('a token that is confined', () => {
  const sends = async (options: TokenOptions, ...messages: Parameters<Guest['say']>) => {
    const guest = await being([undefined, options])
    guest.say(join(1, BOILER, true), ...messages)
    return (await hears(guest)).slice(1).map((line) => line.split(' ').at(-1))
  }
  const bytes = (id: number, value: Uint8Array<ArrayBuffer>, contentType = '') =>
    text(id, '', { to: [BOILER] }, { content: { case: 'payload', value }, contentType })
  const utf8 = (words: string) => new Uint8Array(Buffer.from(words))

  test.each<[NonNullable<TokenOptions['method']>, string[]]>([
    ['text', ['0', '0', 'not', 'not', 'not', 'not']],
    ['binary', ['not', 'not', '0', '0', '0', '0']],
    ['json', ['not', '0', '0', 'not', 'not', 'not']],
    ['protobuf', ['not', 'not', '0', '0', '0', 'not']],
  ])('to %s sends nothing else', async (method, expected) => {
    const outcomes = await sends(
      { method },
      text(2, 'no json', { to: [BOILER] }),
      text(3, '{"a": [1]}', { to: [BOILER] }),
      bytes(4, utf8('[1]')),
      bytes(5, new Uint8Array([0x22, 0xff, 0x22])),
      bytes(6, utf8('x'), 'application/protobuf; a=b'),
      bytes(7, utf8('x'), 'image/png'),
    )
    const named = outcomes.map((each) => (each === 'METHOD_NOT_PERMITTED' ? 'not' : each))
    expect(named).toEqual(expected)
  })

  test.each(['', ' ', '{', '{}x', '{"a":1,}', 'NaN', "{'a': 1}"])(
    'to JSON does not send %j',
    async (words) => {
      const outcomes = await sends({ method: 'json' }, text(2, words, { to: [BOILER] }))
      expect(outcomes).toEqual(['METHOD_NOT_PERMITTED'])
    },
  )

  test('is so wherever it sends, to rooms and to others', async () => {
    const eve = await being(['eve'])
    const outcomes = await sends(
      { method: 'binary' },
      text(2, 'x', { to: [YARD] }),
      text(3, 'x', { to: ['client:acme/eve'] }),
      text(4, 'x'),
    )
    expect(outcomes).toEqual(Array(3).fill('METHOD_NOT_PERMITTED'))
    expect(await hears(eve)).toEqual([])
  })

  test('to a rate sends at that rate, from all of its sockets and to all places', async () => {
    const secret = hall.store.token('acme', ['boiler'], { rate: { perSecond: 2, burst: 3 } })
    const guests = [1, 2].map(() => hall.open().say(answer(1, secret), join(2, BOILER, true)))
    await hall.settle()
    for (const guest of guests) guest.take()
    const rounds: string[][] = []
    for (const wait of [0, 499, 1, 1000]) {
      hall.now += wait
      for (const guest of guests) guest.say(text(3, 'x'), text(4, 'x', { to: [YARD] }))
      await hall.settle()
      rounds.push(guests.flatMap((guest) => guest.heard().map((line) => line.split(' ').at(-1)!)))
    }
    const sent = rounds.map((round) => round.filter((each) => each === '0').length)
    expect(sent).toEqual([3, 0, 1, 2])
    expect(new Set(rounds.flat())).toEqual(new Set(['0', 'RATE_LIMITED']))
  })

  test('to a rate is not used up by what is refused for another reason', async () => {
    const outcomes = await sends(
      { rate: { perSecond: 1, burst: 1 }, method: 'text', channels: ['a'] },
      bytes(2, utf8('x')),
      text(3, 'x', { to: [`${BOILER}/b`] }),
      text(4, 'x', { to: [`${BOILER}/a`] }),
      text(5, 'x', { to: [`${BOILER}/a`] }),
    )
    expect(outcomes.slice(1)).toEqual(['CHANNEL_NOT_PERMITTED', '0', 'RATE_LIMITED'])
  })

  test('to channels hears and sends on no other (A11)', async () => {
    const guest = await being([undefined, { channels: ['a/*', 'b'] }])
    const refused = ['', '/a', '/**', '/a/**', '/c', '/a/x/y'].map((each) => `${BOILER}${each}`)
    guest.say(...refused.map((address, i) => join(i + 1, address)))
    expect(await hears(guest)).toEqual(refused.map((_, i) => `${i + 1} drop CHANNEL_NOT_PERMITTED`))
    const allowed = ['/a/x', '/a/*', '/b'].map((each) => `${BOILER}${each}`)
    guest.say(...allowed.map((address, i) => join(i + 1, address)))
    expect(await hears(guest)).toEqual(allowed.map((address, i) => `${i + 1} joined ${address}`))
  })

  test('to channels enters by the URL of its room to what it may hear', async () => {
    const secret = hall.store.token('acme', ['boiler'], { channels: ['a/*', 'b'] })
    const guest = hall.open('/acme/boiler').say(answer(1, secret))
    await hall.settle()
    const heard = await ear()
    const other = await being([undefined])
    guest.take()
    other.say(...['a/x', 'b', 'c', ''].map((each) => text(1, each, { to: [join1(each)] })))
    expect(await hears(guest)).toEqual(['0 envelope a/x', '0 envelope b'])
    expect(await heard()).toHaveLength(4)
  })

  const join1 = (channel: string) => (channel === '' ? BOILER : `${BOILER}/${channel}`)
})

describe('a client that may have so many sockets', () => {
  const prove = (max: number) => {
    hall.store.client('acme/pump', ['boiler'], { maxSockets: max })
    return hall.store.token('acme', ['boiler'], { client: 'pump' })
  }
  const enters = (secret: string) => hall.open('/acme/boiler').say(answer(1, secret))

  test('one: the newer takes over, and the older is told (R8, A13)', async () => {
    const secret = prove(1)
    const older = enters(secret)
    await hears(older)
    const newer = enters(secret)
    expect(await hears(newer)).toContain('0 joined room:acme/boiler')
    expect((await hears(older)).at(-1)).toBe('0 drop REPLACED')
    expect(hall.graph.socketsOf('client:acme/pump').size).toBe(1)
  })

  test('one, of fifty in the same instant: one is left, and it is in (A14)', async () => {
    const secret = prove(1)
    const guests = Array.from({ length: 50 }, () => enters(secret))
    await hall.settle()
    const left = guests.filter(({ ended }) => ended === undefined)
    expect(left).toHaveLength(1)
    expect(left[0]!.heard()).toContain('0 joined room:acme/boiler')
    expect(hall.sessions.count).toBe(1)
  })

  test('two: the third is refused, and takes no place', async () => {
    const secret = prove(2)
    const [one, two, three] = [enters(secret), enters(secret), enters(secret)]
    await hall.settle()
    expect(three.heard().slice(-2)).toEqual([
      '1 verdict dropped SOCKET_LIMIT',
      '0 drop SOCKET_LIMIT',
    ])
    expect([one.ended, two.ended]).toEqual([undefined, undefined])
    one.vanish()
    expect(await hears(enters(secret))).toContain('0 joined room:acme/boiler')
  })

  test('one: who proves it again on the same socket stays', async () => {
    const secret = prove(1)
    const guest = enters(secret)
    guest.say(answer(2, secret), answer(3, hall.store.token('acme', [], { client: 'pump' })))
    await hall.settle()
    expect(guest.ended).toBeUndefined()
    expect(hall.graph.socketsOf('client:acme/pump').size).toBe(1)
  })

  test('one: it does not take over by a wrong proof', async () => {
    const secret = prove(1)
    const older = enters(secret)
    await hall.settle()
    const wrong = secret.slice(0, -1) + (secret.endsWith('A') ? 'B' : 'A')
    enters(wrong).say(answer(2, wrong), answer(3, wrong))
    await hall.settle()
    expect(older.ended).toBeUndefined()
  })
})

test('what was proved of nobody sends in the name of the socket', async () => {
  hall.store.room('acme/shed', guardedBy('red'))
  const guest = hall.open('/acme/shed').say(say(1, 'red', 'red'))
  await hall.settle()
  const other = hall.open('/acme/shed').say(say(1, 'red', 'red'), text(2, 'hi'))
  await hall.settle()
  const [message] = envelopes(guest.take())
  expect(message?.stamp?.from).toBe(other.session.address)
})
