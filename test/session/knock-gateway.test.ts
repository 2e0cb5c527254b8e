/** The same at a real gateway, in JSON: its parts are bound, and a person could do it by hand. */
import { on } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { TestGateway } from '../support/gateway.ts'

let hub: TestGateway
beforeAll(async () => {
  hub = await TestGateway.start()
})
afterAll(() => hub?.stop())

interface Said {
  readonly event?: { readonly kind: string; readonly lock: string }
  readonly room?: { readonly joined: { readonly address: string } }
  readonly command?: object
  readonly drop?: { readonly code: string }
}

/** A socket that hears frame by frame. */
class Talker {
  readonly #socket: WebSocket
  readonly #heard: AsyncIterator<Buffer[]>
  readonly #frames: Said[] = []

  constructor(path: string) {
    this.#socket = new WebSocket(`${hub.url}${path}`, 'porthouse.v1.json')
    this.#heard = on(this.#socket, 'message', { close: ['close'] })[Symbol.asyncIterator]()
  }

  async say(...frames: object[]): Promise<void> {
    if (this.#socket.readyState === WebSocket.CONNECTING) {
      await new Promise((resolve) => this.#socket.once('open', resolve))
    }
    this.#socket.send(JSON.stringify({ frames }))
  }

  /** The next frame that has this in it. */
  async hears<Part extends keyof Said>(part: Part): Promise<NonNullable<Said[Part]>> {
    for (;;) {
      for (let frame = this.#frames.shift(); frame; frame = this.#frames.shift()) {
        if (frame[part]) return frame[part]
      }
      const { value, done } = await this.#heard.next()
      if (done) throw new Error('closed')
      this.#frames.push(...JSON.parse(value[0]?.toString() ?? '{}').frames)
    }
  }
}

test('one inside lets one in, and is told when the gateway goes down', async () => {
  const lock = (acceptor: string) => ({ kind: { case: 'lock', value: { acceptor } } })
  const flow = { kind: { case: 'any', value: { flows: [lock('knock'), lock('token')] } } }
  await hub.room('acme/club', [{ case: 'access', value: { locks: [], flow } as never }])
  const secret = await hub.token('acme', ['club'], { client: 'dora', admit: true })
  const dora = new Talker('/acme/club')
  await dora.say(
    { id: 1, hello: { capabilities: ['events'] } },
    { id: 2, lockStep: { answer: { acceptor: 'token', text: secret } } },
  )
  await dora.hears('room')
  const guest = new Talker('/acme/club')
  await guest.say({ id: 1, lockStep: { answer: { acceptor: 'knock', text: 'me' } } })
  const { kind, lock: at } = await dora.hears('event')
  expect(kind).toBe('EVENT_KIND_KNOCKED')
  await dora.say({ id: 3, command: { admit: { lock: at, admitted: true } } })
  expect(await dora.hears('command')).toEqual({ done: {} })
  expect((await guest.hears('room')).joined.address).toBe('room:acme/club')
  await dora.say({ id: 4, command: { listRooms: {} } })
  expect(await dora.hears('command')).toEqual({
    rooms: {
      rooms: [{ address: 'room:acme/club', maySend: true, listening: true, mayAdmit: true }],
    },
  })
  const drained = hub.drain()
  expect((await dora.hears('event')).kind).toBe('EVENT_KIND_ANNOUNCED')
  expect((await dora.hears('drop')).code).toBe('CODE_DRAINING')
  await drained
})
