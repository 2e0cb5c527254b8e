/** The whole process told to end: its clients come back by themselves, and what lasts is there. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { type Client, connect, type PorthouseError, type Receipt } from '@porthouse/client'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { json, Running } from '../cli/process.ts'
import { answer } from '../support/client-frames.ts'
import { brief } from '../support/heard.ts'
import { dropped, member } from '../support/outcome.ts'
import { RawWebSocket, resetRawWebSockets } from '../support/raw-websocket.ts'

const ROOM = 'room:acme/boiler'

let data: string
let token: string
let gateway: Running
let port = 0
const clients: Client[] = []

async function run(env: Record<string, string> = {}): Promise<void> {
  const options = ['--http', `127.0.0.1:${port}`, '--data', data, '--log', 'silent']
  gateway = new Running(['run', ...options], { env })
  const said = await gateway.says(/listens on http:\S+/)
  port = Number(/listens on http:\/\/127.0.0.1:(\d+)/.exec(said)![1])
}

async function client(): Promise<Client> {
  const opened = await connect(`ws://127.0.0.1:${port}`, { token, backoff: { baseMs: 20 } })
  clients.push(opened)
  return opened
}

beforeAll(async () => {
  data = await mkdtemp(joinPath(tmpdir(), 'porthouse-test-'))
  await run()
  const env = { PORTHOUSE_DATA: data }
  await json(['account', 'create', 'acme'], { env })
  await json(['room', 'create', 'acme/boiler'], { env })
  const created = ['token', 'create', 'acme', '--room', 'boiler:send,receive']
  token = (await json<{ secret: string }>(created, { env })).secret
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((each) => each.close()))
  resetRawWebSockets()
})
afterAll(async () => {
  await gateway.stop('SIGKILL')
  await rm(data, { recursive: true, force: true, maxRetries: 5 })
})

/** Sends without a pause, a few messages at a time, and keeps what became of each. */
class Pump {
  readonly outcomes: (Receipt | PorthouseError)[] = []
  readonly #running: Promise<void>[]
  #on = true
  #reached = { count: Number.POSITIVE_INFINITY, tell: () => {} }

  constructor(send: (text: string) => Promise<Receipt>) {
    this.#running = Array.from({ length: 4 }, async (_, lane) => {
      for (let i = 0; this.#on; i++) {
        this.outcomes.push(await send(`${lane}.${i}`).catch((error) => error))
        if (this.outcomes.length >= this.#reached.count) this.#reached.tell()
      }
    })
  }

  /** Resolves after so many more. */
  more(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#reached = { count: this.outcomes.length + count, tell: resolve }
    return promise
  }

  async stop(): Promise<void> {
    this.#on = false
    await Promise.all(this.#running)
  }
}

test('amid traffic: nothing is claimed that was not done, and all come back', async () => {
  const [ann, bob] = [await client(), await client()]
  const room = await ann.join('acme/boiler', { sendOnly: true })
  const messages = (await bob.join('acme/boiler')).messages()
  const ids: string[] = []
  const heard = (async () => {
    for await (const { id, text } of messages) {
      ids.push(id)
      if (text === 'the end') return
    }
  })()
  const { socket: witness } = await member({ port }, token, ROOM)
  const back = [ann, bob].map((each) => new Promise((resolve) => each.on('reconnected', resolve)))
  const pump = new Pump((text) => room.send(text))

  await pump.more(200)
  const ended = gateway.stop('SIGTERM')
  expect((await dropped(witness)).code).toBe('DRAINING')
  expect((await witness.ended).code).toBe(1012)
  expect(await ended).toMatchObject({ code: 0, stderr: '' })
  const before = pump.outcomes.length
  await run()
  await Promise.all(back)
  await pump.more(200)
  await pump.stop()
  expect(await room.send('the end')).toMatchObject({ status: 'ROUTED', sockets: 1 })
  await heard

  expect(new Set(ids).size).toBe(ids.length)
  const receipts = pump.outcomes.filter((outcome): outcome is Receipt => 'status' in outcome)
  expect(receipts).toHaveLength(pump.outcomes.length)
  const routed = receipts.filter(({ status }) => status === 'ROUTED')
  expect(routed.filter(({ id }) => !ids.includes(id!))).toEqual([])
  expect(receipts.slice(0, 200)).toEqual(routed.slice(0, 200))
  expect(receipts.slice(before).some(({ status }) => status === 'ROUTED')).toBe(true)
  for (const { status, id } of receipts) {
    if (status === 'VOID') expect(ids).not.toContain(id)
  }

  const env = { PORTHOUSE_DATA: data }
  expect(await json(['account', 'list'], { env })).toMatchObject([{ slug: 'acme' }])
})

test('twice: the second signal does not wait for those who do not go', async () => {
  await gateway.stop()
  await run({ PORTHOUSE_DRAIN_MS: '600000' })
  const stays = await RawWebSocket.open(port, { answersClose: false })
  stays.packet(answer(1, token))
  expect(brief(await stays.frame())).toBe('1 verdict passed')
  gateway.process.kill('SIGTERM')
  expect(brief(await stays.frame())).toBe('0 drop DRAINING')
  expect((await gateway.stop('SIGINT')).code).toBe(1)
})
