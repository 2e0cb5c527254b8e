/** An acceptor of one's own has the same interface as the built-in ones (R18). */
import { Code } from '@porthouse/proto/v1/code'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Config, schema } from '../../gateway/config/config.ts'
import { type Acceptor, createGateway, type Gateway } from '../../gateway/gateway.ts'
import { answer, join, text } from '../support/client-frames.ts'
import { TestGateway } from '../support/gateway.ts'
import { brief } from '../support/heard.ts'
import { OPEN } from '../support/memory-store.ts'
import { RawWebSocket, resetRawWebSockets } from '../support/raw-websocket.ts'

/** Opens for a word, once a day's hour has come. */
const hourly: Acceptor<{ hour: number }> = {
  name: 'hourly',
  readOptions(options) {
    const { hour } = options as { hour?: unknown }
    if (typeof hour !== 'number') throw new Error('options.hour: a number')
    return { hour }
  },
  nominable: false,
  prompt: true,
  finished: () => false,
  begin: () => ({ outcome: 'challenge', ask: { case: undefined } }),
  answer(response, { options, place, now }) {
    const right = response.case === 'text' && response.value === 'please'
    const open = new Date(now).getUTCHours() >= options.hour
    if (!place || !right || !open) return { outcome: 'failed', code: Code.UNAUTHENTICATED }
    const proof = { acceptor: 'hourly', values: {}, place: place.address, grants: [] }
    return { outcome: 'passed', proof }
  },
}

const log = pino({ level: 'silent' })
let base: TestGateway
let gateway: Gateway
let config: Config

beforeAll(async () => {
  base = await TestGateway.start()
  const listen = '127.0.0.1:0'
  config = schema.parse({
    data: 'nowhere',
    features: ['websocket', 'mqtt'],
    http: { listen },
    mqtt: { listen },
  })
  gateway = await createGateway({ config, store: base.store, log, acceptors: [hourly] })
  for (const [room, hour] of [
    ['acme/always', 0],
    ['acme/never', 24],
  ] as const) {
    const lock = { acceptor: 'hourly', tries: 1, options: { hour } }
    const flow = { kind: { case: 'lock', value: lock } }
    await base.room(room, [{ case: 'access', value: { locks: [], flow } as never }])
  }
  await base.room('acme/open', [OPEN])
})
afterEach(resetRawWebSockets)
afterAll(async () => {
  await gateway.drain()
  await base.stop()
})

function please(id: number) {
  const frame = answer(id, 'please')
  const { body } = frame as { body: { value: { step: { value: { acceptor: string } } } } }
  body.value.step.value.acceptor = 'hourly'
  return frame
}

test('it is asked, judges, and lets in for this place alone', async () => {
  const socket = await RawWebSocket.open(gateway.http.port)
  socket.packet(join(1, 'room:acme/always'), please(2), text(3, 'hi'), join(4, 'room:acme/never'))
  expect((await socket.frames(5)).map(brief)).toEqual([
    '1 challenge hourly',
    '2 verdict passed',
    '1 joined room:acme/always',
    '3 receipt VOID 0',
    '4 challenge hourly',
  ])
  socket.packet(please(5))
  expect((await socket.frames(2)).map(brief)).toEqual([
    '5 verdict dropped UNAUTHENTICATED',
    '4 drop TRIES_EXHAUSTED',
  ])
})

test('a room that names it cannot be entered where it is not known, and others can', async () => {
  const socket = await RawWebSocket.open(base.port)
  socket.packet(join(1, 'room:acme/always'), join(2, 'room:acme/open'))
  expect((await socket.frames(2)).map(brief)).toEqual([
    '1 drop INTERNAL',
    '2 joined room:acme/open',
  ])
})

test('two of one name are a mistake that is told at start', async () => {
  const acceptors = [{ ...hourly, name: 'token' }]
  const started = createGateway({ config, store: base.store, log, acceptors })
  await expect(started).rejects.toThrow('two acceptors named token')
})
