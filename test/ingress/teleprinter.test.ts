/** The teleprinter end to end: a person, a bare WebSocket, a gateway (R17; K14, K15, H14). */
import { createHash } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { AccessSchema } from '@porthouse/proto/room/v1/access'
import type { Block } from '@porthouse/proto/room/v1/config'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Store } from '../../gateway/store/store.ts'
import { text } from '../support/client-frames.ts'
import { TestGateway, type TestSettings } from '../support/gateway.ts'
import { dropped, member, Witnesses } from '../support/outcome.ts'
import {
  BINARY,
  CLOSE,
  closePayload,
  type RawOptions,
  RawWebSocket,
  resetRawWebSockets,
  TEXT,
} from '../support/raw-websocket.ts'

const ROOM = 'room:acme/boiler'
const WRONG = `pht_${'0'.repeat(32)}_${'A'.repeat(43)}`

let gateway: TestGateway
let token: string
let witnesses: Witnesses
const others: TestGateway[] = []
let networks = 0

beforeAll(async () => {
  gateway = await TestGateway.start()
  await gateway.room('acme/boiler')
  await gateway.room('acme/pump')
  await gateway.room('acme/open', [{ case: 'access', value: create(AccessSchema) }])
  token = await gateway.token('acme', ['boiler', 'pump'], { client: 'ada' })
  witnesses = await Witnesses.call(gateway)
})
afterEach(async () => {
  resetRawWebSockets()
  await Promise.all(others.splice(0).map((other) => other.stop()))
  await witnesses.check()
})
afterAll(() => gateway.stop())

async function beside(settings: TestSettings, store?: Store): Promise<TestGateway> {
  const other = await gateway.beside(settings, store)
  others.push(other)
  return other
}

/** An address of this machine in a network that no other test uses. */
function newAddress(): string {
  networks++
  return `127.9.${networks}.1`
}

/** A person with a text tool. */
class Person {
  readonly socket: RawWebSocket
  /** All that was shown so far. */
  text = ''

  static async call(
    path = '/acme/boiler',
    { port = gateway.port, from = newAddress(), ...rest }: RawOptions & { port?: number } = {},
  ): Promise<Person> {
    return new Person(await RawWebSocket.open(port, { path, protocol: null, from, ...rest }))
  }

  private constructor(socket: RawWebSocket) {
    this.socket = socket
  }

  type(...lines: string[]): void {
    for (const line of lines) this.socket.send(TEXT, line)
  }

  /** What is shown from now on until something matches. */
  async see(what: string | RegExp): Promise<string> {
    const start = this.text.length
    while (!this.text.slice(start).match(what)) {
      this.text += (await this.socket.next(TEXT)).toString()
    }
    return this.text.slice(start)
  }

  /** Ends by itself; what was shown until then, and the name of the code. */
  async gone(): Promise<{ code: string | undefined; text: string }> {
    const { reason } = await this.socket.ended
    for (;;) {
      const more = await this.socket.next(TEXT).catch(() => undefined)
      if (!more) break
      this.text += more.toString()
    }
    return { code: reason.split(':')[0] || undefined, text: this.text }
  }
}

/** Somebody with a program, who hears what people say. */
async function listener(address = ROOM) {
  const { socket, route } = await member(gateway, token, address)
  const heard = async () => {
    const { body } = await socket.frame()
    return body.case === 'envelope' ? body.value.content.value : body.case
  }
  return { socket, route, heard }
}

describe('a person', () => {
  test('proves a token, enters, writes and reads in text', async () => {
    const program = await listener()
    const ada = await Person.call()
    expect(await ada.see('token: ')).toMatch(
      /^porthouse\. This is (\S+)\.\r\n\1 asks for: token\. You have \d+ s\.\r\n.*\r\ntoken: $/,
    )
    ada.type(token)
    expect(await ada.see('more')).toBe(
      'Right. You are client:acme/ada.\r\n' +
        `You are in ${ROOM}: each line is a message. /help tells more.\r\n`,
    )
    ada.type('hello', 'two\nlines\n')
    expect([await program.heard(), await program.heard(), await program.heard()]).toEqual([
      'hello',
      'two',
      'lines',
    ])
    program.socket.packet(text(1, 'evil\x1b[2J\r\nGoodbye.', { route: program.route }))
    expect(await ada.see('Goodbye')).toBe('client:acme/ada: evil\\u{1b}[2J\\r\\nGoodbye.\r\n')
    ada.type('/quit')
    expect((await ada.socket.ended).code).toBe(1000)
  })

  test('may type key by key, and be read at a pace', async () => {
    const program = await listener()
    const ada = await Person.call('/acme/boiler?pace=1000')
    await ada.see('token: ')
    for (const key of `x\x7f${token}\r`) ada.socket.send(TEXT, key)
    await ada.see('Enter ends a line')
    await ada.see('more.\r\n')
    for (const key of 'hi\b\bho\r\n') ada.socket.send(TEXT, key)
    expect(await program.heard()).toBe('ho')
    ada.type('/quit', '\r')
    expect((await ada.socket.ended).code).toBe(1000)
  })

  test('may write before he is asked, as a pipe does', async () => {
    const program = await listener()
    const ada = await Person.call()
    ada.type(`${token}\n`, 'first\n', 'second\n')
    expect([await program.heard(), await program.heard()]).toEqual(['first', 'second'])
  })

  test('comes by the lobby, and moves about', async () => {
    const program = await listener('room:acme/pump')
    const ada = await Person.call('/v1/ws')
    await ada.see('token: ')
    ada.type(token)
    await ada.see('Where to?')
    ada.type('/join acme/pump', 'hello', '/join acme/boiler', '/leave', 'again', '/help')
    expect([await program.heard(), await program.heard()]).toEqual(['hello', 'again'])
    const seen = await ada.see('one slash')
    expect(seen).toMatch(/You are no longer in room:acme\/boiler\./)
  })

  test('sees his sockets', async () => {
    const ada = await Person.call()
    ada.type(token, '/sockets')
    await ada.see(/socket:\w{16} \(this one\) .*client:acme\/ada/)
  })

  test('enters an open room without a word', async () => {
    const somebody = await Person.call('/acme/open')
    const other = await Person.call('/acme/open')
    await Promise.all([somebody.see('message'), other.see('message')])
    somebody.type('anyone?')
    expect(await other.see('\r\n$')).toMatch(/^socket:\w{16}: anyone\?\r\n$/)
    expect(await gateway.store.offences.list()).toEqual([])
  })

  test('cannot tell a room that exists from one that does not (K14)', async () => {
    const rooms = ['boiler', 'nowhere']
    const seen = rooms.map(async (room) => {
      const person = await Person.call(`/acme/${room}`)
      await person.see('token: ')
      person.type(WRONG)
      return (await person.gone()).text.replaceAll(room, 'ROOM').replace(/\d+ s/, 'N s')
    })
    const [known, unknown] = await Promise.all(seen)
    expect(known).toBe(unknown)
  })

  test('is told what was refused, and stays', async () => {
    const mute = await gateway.token('acme', ['boiler'], { send: false })
    const ada = await Person.call()
    ada.type(mute)
    await ada.see('to listen')
    ada.type('hello')
    await ada.see('Not sent. SEND_NOT_PERMITTED')
    ada.type('/join acme/pump', '/join Not An Address', '/join NOT')
    expect(await ada.see('ADDRESS_INVALID')).toMatch(/Refused\. ENTRY_NOT_PERMITTED/)
  })
})

describe('one wrong answer', () => {
  test('is told, ends it, and is known on return, from the whole network', async () => {
    const from = newAddress()
    const stranger = await Person.call('/acme/boiler', { from })
    stranger.type(WRONG)
    const first = await stranger.gone()
    expect(first.code).toBe('UNAUTHENTICATED')
    expect(first.text).toMatch(/\r\nWrong\. UNAUTHENTICATED: .*\r\nGoodbye\. UNAUTHENTICATED: /)
    const back = await (await Person.call('/acme/pump', { from: from.replace(/1$/, '77') })).gone()
    expect(back).toEqual({
      code: 'OFFENDER',
      text:
        'porthouse. This is room:acme/pump.\r\n' +
        'You again: 1 wrong answer came from where you are.\r\n' +
        'Goodbye. OFFENDER: come back when that is forgotten.\r\n',
    })
    // His coming back is no further offence.
    expect((await (await Person.call('/acme/pump', { from })).gone()).text).toContain(' 1 wrong')
  })

  test('bars nobody else, and no program', async () => {
    const from = newAddress()
    const stranger = await Person.call('/acme/boiler', { from })
    stranger.type(WRONG)
    await stranger.gone()
    await (await Person.call()).see('token: ')
    await member(gateway, token, ROOM, { from })
  })

  test('cannot be blamed on another by a header (H14)', async () => {
    const headers = { 'X-Forwarded-For': '127.0.0.1', Forwarded: 'for=127.0.0.1' }
    const from = newAddress()
    const stranger = await Person.call('/acme/boiler', { from, headers })
    stranger.type(WRONG)
    await stranger.gone()
    const subjects = (await gateway.store.offences.list()).map(({ subject }) => subject)
    expect(subjects).toContain(`address:${from.replace(/1$/, '0/24')}`)
    expect(subjects).not.toContain('address:127.0.0.0/24')
    const elsewhere = { ...headers, 'X-Forwarded-For': newAddress() }
    const back = await Person.call('/acme/boiler', { from, headers: elsewhere })
    expect((await back.gone()).code).toBe('OFFENDER')
  })

  test('is held against the token it names, whose owner gets in and is told (K15)', async () => {
    const owned = await gateway.token('acme', ['boiler'])
    const wrong = owned.replace(/.{43}$/, 'A'.repeat(43))
    for (let i = 0; i < 2; i++) {
      const stranger = await Person.call()
      stranger.type(wrong)
      expect((await stranger.gone()).code).toBe('UNAUTHENTICATED')
    }
    const owner = await Person.call()
    owner.type(owned)
    await owner.see('Wrong answers given lately in your name: 2.')
    expect(JSON.stringify(await gateway.store.offences.list())).not.toContain('AAAA')
  })

  test('of many at once lets none of them in twice', async () => {
    const from = newAddress()
    const strangers = await Promise.all(
      Array.from({ length: 20 }, () => Person.call('/acme/boiler', { from })),
    )
    await Promise.all(strangers.map((each) => each.see('token: ')))
    for (const each of strangers) each.type(WRONG, token, 'hello')
    const ends = await Promise.all(strangers.map((each) => each.gone()))
    expect(new Set(ends.map(({ code }) => code))).toEqual(new Set(['UNAUTHENTICATED']))
    expect((await (await Person.call('/acme/boiler', { from })).gone()).text).toContain(
      ': 20 wrong',
    )
  })

  test('is forgotten by and by', async () => {
    const forgetful = await beside({ teleprinter: { halfLifeMs: 1 } })
    const from = newAddress()
    const stranger = await Person.call('/acme/boiler', { from, port: forgetful.port })
    stranger.type(WRONG)
    await stranger.gone()
    await vi.waitFor(async () => {
      const back = await Person.call('/acme/boiler', { from, port: forgetful.port })
      await back.see('token: ')
    })
  })

  test('may be cleared by an admin', async () => {
    const from = newAddress()
    const stranger = await Person.call('/acme/boiler', { from })
    stranger.type(WRONG)
    await stranger.gone()
    await gateway.store.offences.clear({ subject: `address:${from.replace(/1$/, '0/24')}` })
    await (await Person.call('/acme/boiler', { from })).see('token: ')
  })

  test('ends a socket that is in somewhere as well', async () => {
    const somebody = await Person.call('/acme/open')
    await somebody.see('message')
    somebody.type('/join acme/boiler')
    await somebody.see('token: ')
    somebody.type(WRONG)
    expect((await somebody.gone()).code).toBe('UNAUTHENTICATED')
  })
})

describe('a room with a dialogue', () => {
  const sha256 = (answer: string) => createHash('sha256').update(answer).digest('hex')
  const door: Block['kind'] = {
    case: 'access',
    value: create(AccessSchema, {
      flow: {
        kind: {
          case: 'lock',
          value: {
            acceptor: 'tty',
            tries: 5,
            options: {
              name: 'The door',
              prompts: [
                { text: 'Who are you?', any: true },
                { text: 'Word:', echo: false, answer_sha256: sha256('mellon') },
              ],
            },
          },
        },
      },
    }),
  }
  beforeAll(async () => void (await gateway.room('acme/door', [door])))

  test('lets in who knows', async () => {
    const [ada, bob] = [await Person.call('/acme/door'), await Person.call('/acme/door')]
    for (const person of [ada, bob]) {
      expect(await person.see(/\? $/)).toMatch(/asks for: tty.*The door\r\n.*Who are you\? $/s)
      person.type('a friend')
      await person.see(/Word: $/)
      person.type('mellon')
      await person.see('each line is a message')
    }
    ada.type('we are in')
    await bob.see('we are in')
  })

  test('throws out who does not, however many tries it has', async () => {
    const person = await Person.call('/acme/door')
    person.type('a friend', 'melon', 'mellon')
    expect((await person.gone()).code).toBe('UNAUTHENTICATED')
  })
})

describe('bounds', () => {
  test('of time: too late is told, and no offence', async () => {
    const short = await beside({ limbo: { deadlineMs: 200 } })
    const from = newAddress()
    const call = () => Person.call('/acme/boiler', { from, port: short.port })
    const slow = await call()
    await slow.see('token: ')
    slow.socket.send(TEXT, 'p')
    const { code, text: shown } = await slow.gone()
    expect(code).toBe('LOCK_DEADLINE')
    expect(shown).toMatch(/Goodbye\. LOCK_DEADLINE: /)
    await (await call()).see('token: ')
  })

  test.each<[string, string, (socket: RawWebSocket) => void]>([
    ['bytes', 'WRONG_DATA_TYPE', (socket) => socket.send(BINARY, 'hello')],
    ['a huge message', 'PACKET_TOO_LARGE', (socket) => socket.send(TEXT, 'x'.repeat(65_537))],
    ['many lines', 'TOO_MANY_FRAMES', (socket) => socket.send(TEXT, '\n'.repeat(2_000))],
    [
      'keys that make no line',
      'LIMBO_LIMIT',
      (socket) => {
        socket.send(TEXT, 'x')
        for (let i = 0; i < 20; i++) socket.send(TEXT, 'x\b'.repeat(2_000))
      },
    ],
    [
      'requests',
      'LIMBO_LIMIT',
      (socket) => {
        for (let i = 0; i < 70; i++) socket.send(TEXT, '/join NOT')
      },
    ],
  ])('%s: %s', async (_name, code, act) => {
    const person = await Person.call()
    await person.see('token: ')
    act(person.socket)
    expect((await person.gone()).code).toBe(code)
  })

  test('a line that is too long is told, and is no answer', async () => {
    const person = await Person.call()
    await person.see('token: ')
    person.type('x'.repeat(5_000))
    await person.see(/A line over 4096 bytes was not taken\.\r\ntoken: $/)
    person.type(token)
    await person.see('Right.')
  })

  test('one who makes it talk and does not read is dropped', async () => {
    const somebody = await Person.call('/acme/open')
    await somebody.see('message')
    somebody.socket.pause()
    for (let i = 0; i < 100; i++) somebody.socket.send(TEXT, '/help\n'.repeat(1_000))
    await vi.waitFor(async () => expect(gateway.sockets).toBe(2))
    somebody.socket.resume()
    expect((await somebody.gone()).code).toBe('SLOW_CONSUMER')
  })

  test('one whose pace is slower than a room is a slow consumer', async () => {
    const slow = await Person.call('/acme/open?pace=10')
    const program = await listener('room:acme/open')
    await vi.waitFor(() => expect(gateway.sockets).toBe(4))
    for (let i = 0; i < 3_000; i++) {
      program.socket.packet(text(i + 1, 'x'.repeat(1_000), { route: program.route }))
    }
    await vi.waitFor(() => expect(gateway.sockets).toBe(3))
    slow.socket.reset()
  })

  test('half a dialogue on 50 connections leaves nothing behind', async () => {
    const people = await Promise.all(
      Array.from({ length: 50 }, () => Person.call('/acme/boiler?pace=10')),
    )
    for (const [i, person] of people.entries()) {
      person.socket.send(TEXT, 'pht_')
      if (i % 2) person.socket.reset()
      else person.socket.send(CLOSE, closePayload(1000))
    }
    await vi.waitFor(() => expect(gateway.sockets).toBe(2))
  })

  test('a drain is told', async () => {
    const other = await beside({})
    const person = await Person.call('/acme/boiler', { port: other.port })
    await person.see('token: ')
    others.pop()
    await other.stop()
    expect((await person.gone()).text).toMatch(/Goodbye\. DRAINING: /)
  })
})

describe('the store of offences', () => {
  const withOffences = (offences: Partial<Store['offences']>) =>
    beside({}, { ...gateway.store, offences: { ...gateway.store.offences, ...offences } as never })

  test('that is away bars nobody, and lets nobody in', async () => {
    const away = () => Promise.reject(new Error('away'))
    const { port } = await withOffences({ add: away, find: away })
    const [stranger, ada] = [
      await Person.call(undefined, { port }),
      await Person.call(undefined, { port }),
    ]
    stranger.type(WRONG)
    ada.type(token)
    expect((await stranger.gone()).code).toBe('UNAUTHENTICATED')
    await ada.see('each line is a message')
  })

  test('that hangs does neither', async () => {
    const hang = () => new Promise<never>(() => {})
    const { port } = await withOffences({ add: hang, find: hang })
    const ada = await Person.call(undefined, { port })
    ada.type(token)
    await ada.see('each line is a message')
  })

  test('has kept an offence before the connection ends', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { port } = await withOffences({ add: () => promise })
    const stranger = await Person.call(undefined, { port })
    stranger.type(WRONG)
    await stranger.see('Wrong.')
    let over = false
    void stranger.gone().then(() => {
      over = true
    })
    await gateway.store.ping()
    expect(over).toBe(false)
    resolve()
    expect((await stranger.socket.ended).reason).toMatch(/^UNAUTHENTICATED/)
  })
})

test('where it is off, bare text is refused as before', async () => {
  const { port } = await beside({ features: ['websocket'] })
  const { reason } = await (await Person.call(undefined, { port })).socket.ended
  expect(reason).toMatch(/^SUBPROTOCOL_MISSING: /)
})

test('a program is not met by it', async () => {
  const socket = await RawWebSocket.open(gateway.port, { path: '/acme/boiler' })
  socket.send(TEXT, 'hello')
  expect((await dropped(socket)).code).toBe('WRONG_DATA_TYPE')
})
