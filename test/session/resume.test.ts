/** Resume tokens: what one connection has proved, the next one need not (R12). */
import { Code } from '@porthouse/proto/v1/code'
import { beforeEach, expect, test, vi } from 'vitest'
import { answer, type FrameInit, join, text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { brief } from '../support/heard.ts'

let hall: Hall
let secret: string

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval'] })
  hall = new Hall()
  hall.store.room('acme/boiler')
  secret = hall.store.token('acme', ['boiler'], { client: 'ann' })
  return () => vi.useRealTimers()
})

function hello(id: number, resume = '', capabilities = ['resume']): FrameInit {
  return { id, body: { case: 'hello', value: { capabilities, resume } } }
}

interface Heard {
  readonly lines: string[]
  readonly resumed: boolean
  /** The resume token, where one came. */
  readonly token: string | undefined
}

async function hears(guest: Guest): Promise<Heard> {
  await hall.settle()
  const frames = guest.take()
  const bodies = frames.map(({ body }) => body)
  const resume = bodies.find((body) => body.case === 'resume')
  const welcome = bodies.find((body) => body.case === 'welcome')
  return {
    lines: frames.map(brief),
    resumed: welcome?.value.resumed ?? false,
    token: resume?.value.token,
  }
}

/** A socket that has proved the token, and the resume token that it was told. */
async function proved(): Promise<{ guest: Guest; token: string }> {
  const guest = hall.open().say(hello(1), answer(2, secret))
  const { token } = await hears(guest)
  if (token === undefined) throw new Error('no resume token')
  return { guest, token }
}

test('the next connection is welcomed as whom the last one was, in one packet', async () => {
  const { guest, token } = await proved()
  guest.vanish()
  const next = hall.open().say(hello(1, token), join(2, 'room:acme/boiler'), text(3, 'hi'))
  const { lines, resumed } = await hears(next)
  expect(resumed).toBe(true)
  expect(lines).toEqual(['1 welcome', '0 resume', '2 joined room:acme/boiler', '3 receipt VOID 0'])
  expect(next.session.client).toBe('client:acme/ann')
})

test('nobody is told a token who did not ask for one, or has proved nothing', async () => {
  const plain = hall.open().say(hello(1, '', []), answer(2, secret))
  expect((await hears(plain)).token).toBeUndefined()
  const stranger = hall.open().say(hello(1))
  expect((await hears(stranger)).token).toBeUndefined()
})

test('a token is good again until its user has gone on after Welcome', async () => {
  const { guest, token } = await proved()
  guest.vanish()
  const lost = hall.open().say(hello(1, token))
  await hall.settle()
  lost.vanish()
  const next = hall.open().say(hello(1, token))
  expect((await hears(next)).resumed).toBe(true)
  next.say(join(2, 'room:acme/boiler'))
  await hall.settle()
  next.vanish()
  const late = hall.open().say(hello(1, token))
  expect((await hears(late)).resumed).toBe(false)
})

test('each resumed connection has a token of its own', async () => {
  let { guest, token } = await proved()
  for (let i = 0; i < 3; i++) {
    guest.vanish()
    guest = hall.open().say(hello(1, token))
    const heard = await hears(guest)
    expect(heard.resumed).toBe(true)
    expect(heard.token).not.toBe(token)
    token = heard.token as string
  }
})

test('a half-dead socket is replaced, and frees its place in a share', async () => {
  secret = hall.store.token('acme', ['boiler'], { maxConnections: 1 })
  const { guest, token } = await proved()
  const next = hall.open().say(hello(1, token), join(2, 'room:acme/boiler'))
  expect((await hears(next)).lines).toContain('2 joined room:acme/boiler')
  expect(guest.ended).toBe(Code.REPLACED)
})

test('what no longer holds is not resumed: a deleted token', async () => {
  const { guest, token } = await proved()
  guest.vanish()
  hall.store.deleteToken(secret)
  const next = hall.open().say(hello(1, token), join(2, 'room:acme/boiler'))
  const { lines, resumed } = await hears(next)
  expect(resumed).toBe(false)
  expect(lines).toEqual(['1 welcome', '2 challenge token'])
})

test('nor a regenerated one', async () => {
  const { guest, token } = await proved()
  guest.vanish()
  hall.store.regenerateToken(secret)
  expect((await hears(hall.open().say(hello(1, token)))).resumed).toBe(false)
})

test('rights that were taken meanwhile stay taken', async () => {
  const { guest, token } = await proved()
  guest.vanish()
  hall.store.changeToken(secret, [])
  const next = hall.open().say(hello(1, token), join(2, 'room:acme/boiler'))
  expect((await hears(next)).lines).toContain('2 drop ENTRY_NOT_PERMITTED')
})

test('nothing is believed while the store is away, and the token is good afterwards', async () => {
  const { guest, token } = await proved()
  guest.vanish()
  hall.store.away = true
  const early = hall.open().say(hello(1, token))
  expect((await hears(early)).resumed).toBe(false)
  hall.store.away = false
  const next = hall.open().say(hello(1, token))
  expect((await hears(next)).resumed).toBe(true)
})

test('it is over after its window, and one that nobody was given is none', async () => {
  const { guest, token } = await proved()
  guest.vanish()
  hall.pass(121_000)
  for (const wrong of [token, 'x', '', 'x'.repeat(100_000), `${token}x`]) {
    expect((await hears(hall.open().say(hello(1, wrong)))).resumed).toBe(false)
  }
})

test('no more are kept than the config says, the oldest go first', async () => {
  hall = new Hall({ resume: { tokens: 2 } })
  hall.store.room('acme/boiler')
  secret = hall.store.token('acme', ['boiler'])
  const tokens: string[] = []
  for (let i = 0; i < 3; i++) {
    const { guest, token } = await proved()
    guest.vanish()
    tokens.push(token)
  }
  const taken: boolean[] = []
  for (const token of tokens) taken.push((await hears(hall.open().say(hello(1, token)))).resumed)
  expect(taken).toEqual([false, true, true])
})
