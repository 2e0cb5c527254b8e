/** 5,000 real connections in one room (R42): all hear all, and another room goes on meanwhile. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type FrameInit, packetOf, text } from '../support/client-frames.ts'
import { TestGateway } from '../support/gateway.ts'
import { envelopes, framesOf, textOf } from '../support/heard.ts'
import { OPEN } from '../support/memory-store.ts'

const FANS = 5_000
const MESSAGES = 25
/** Between two messages of the star, in milliseconds: some 25,000 writes a second. */
const PAUSE_MS = 200

let gateway: TestGateway
let fans: ChildProcess

beforeAll(async () => {
  gateway = await TestGateway.start()
  await gateway.room('acme/stage', [OPEN])
  await gateway.room('acme/quiet', [OPEN])
})
afterAll(async () => {
  fans.disconnect()
  await once(fans, 'exit')
  await gateway.stop()
})

class Client {
  readonly #socket: WebSocket
  readonly joined: Promise<void>
  /** Called with every text. */
  hears: (text: string) => void = () => {}

  constructor(path: string) {
    this.#socket = new WebSocket(`${gateway.url}${path}`, 'porthouse.v1')
    const { promise, resolve } = Promise.withResolvers<void>()
    this.joined = promise
    this.#socket.on('message', (data: Buffer) => {
      const frames = framesOf(data, false)
      if (frames.some(({ body }) => body.case === 'room')) resolve()
      for (const envelope of envelopes(frames)) this.hears(textOf(envelope))
    })
  }

  say(...frames: FrameInit[]): void {
    this.#socket.send(packetOf(...frames))
  }
}

/** Answers go to and fro while it lasts; how long one takes, in milliseconds. */
async function exchange(one: Client, two: Client, during: Promise<void>) {
  const times: number[] = []
  let goesOn = true
  void during.then(() => {
    goesOn = false
  })
  two.hears = (ping) => two.say(text(0, ping, { receipt: 0 }))
  while (goesOn) {
    const began = performance.now()
    await new Promise<void>((resolve) => {
      one.hears = () => resolve()
      one.say(text(0, 'ping', { receipt: 0 }))
    })
    times.push(performance.now() - began)
  }
  times.sort((a, b) => a - b)
  const at = (part: number) => times[Math.floor(times.length * part)] as number
  return { median: at(0.5), p99: at(0.99) }
}

test('each hears each message once and in order, and another room goes on', async () => {
  const args = [`${gateway.url}/acme/stage`, `${FANS}`, `${MESSAGES}`]
  fans = fork(new URL('../support/fans.ts', import.meta.url), args)
  expect(await once(fans, 'message')).toEqual(['joined', undefined])
  const [star, one, two] = ['stage', 'quiet', 'quiet'].map((room) => new Client(`/acme/${room}`))
  if (!star || !one || !two) throw new Error('not there')
  await Promise.all([star, one, two].map(({ joined }) => joined))
  expect(gateway.sockets).toBe(FANS + 3)

  await exchange(one, two, pause(1_000))
  const before = await exchange(one, two, pause(1_000))
  const heard = once(fans, 'message')
  const load = async () => {
    for (let i = 0; i < MESSAGES; i++) {
      star.say(text(0, `${i}`, { receipt: 0 }))
      await pause(PAUSE_MS)
    }
  }
  const meanwhile = await exchange(one, two, load())
  expect(await heard).toEqual(['heard', undefined])
  const times = (part: 'median' | 'p99') =>
    `${(meanwhile[part] / before[part]).toFixed(1)} times (${meanwhile[part].toFixed(1)} ms)`
  process.stdout.write(
    `a room beside one of ${FANS}: median ${times('median')}, p99 ${times('p99')}\n`,
  )
}, 60_000)
