/** Presence, groups and stats through a whole gateway, over real connections of either kind. */
import { create, toBinary, toJsonString } from '@bufbuild/protobuf'
import { type Frame, PacketSchema } from '@porthouse/proto/v1/frame'
import type { Presence } from '@porthouse/proto/v1/room'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type FrameInit, join, text } from '../support/client-frames.ts'
import { TestGateway } from '../support/gateway.ts'
import { OPEN } from '../support/memory-store.ts'
import { BINARY, RawWebSocket, resetRawWebSockets, TEXT } from '../support/raw-websocket.ts'

const ROOM = 'room:acme/shop'
const WORKERS = 'group:acme/shop/workers'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await TestGateway.start()
  await gateway.room('acme/shop', [
    OPEN,
    { case: 'presence', value: { enabled: true, intervalMs: 20 } as never },
    {
      case: 'groups',
      value: { groups: [{ name: 'workers', clients: [], open: true, delivery: 2 }] } as never,
    },
  ])
})
afterEach(resetRawWebSockets)
afterAll(() => gateway.stop())

class Person {
  readonly #opcode: number
  readonly #socket: RawWebSocket

  private constructor(socket: RawWebSocket, opcode: number) {
    this.#socket = socket
    this.#opcode = opcode
  }

  static async enters(opcode: number, presence: boolean): Promise<Person> {
    const protocol = opcode === BINARY ? 'porthouse.v1' : 'porthouse.v1.json'
    const socket = await RawWebSocket.open(gateway.port, { protocol })
    const person = new Person(socket, opcode)
    const action = { case: 'join' as const, value: { address: ROOM, presence } }
    person.say({ id: 1, body: { case: 'room', value: { action } } })
    await person.hears('joined')
    return person
  }

  say(...frames: FrameInit[]): void {
    const packet = create(PacketSchema, { frames })
    if (this.#opcode === BINARY) this.#socket.send(BINARY, toBinary(PacketSchema, packet))
    else this.#socket.send(TEXT, toJsonString(PacketSchema, packet))
  }

  /** The next frame of that kind; others before it are passed over. */
  async hears(kind: string): Promise<Frame['body']> {
    for (;;) {
      const { body } = await this.#socket.frame(this.#opcode)
      const { value } = body as { value?: { action?: { case?: string } } }
      if (body.case === kind || value?.action?.case === kind) return body
    }
  }

  async presence(): Promise<Presence> {
    const body = await this.hears('presence')
    const action = body.case === 'room' ? body.value.action : undefined
    if (action?.case !== 'presence') throw new Error('no presence')
    return action.value
  }

  leave(): void {
    this.#socket.reset()
  }
}

test('members of either kind see each other come and go', async () => {
  const seers = [await Person.enters(BINARY, true), await Person.enters(TEXT, true)]
  const other = await Person.enters(BINARY, false)
  for (const seer of seers) while ((await seer.presence()).count < 3);
  other.leave()
  for (const seer of seers) expect(await seer.presence()).toMatchObject({ joined: [], count: 2 })
})

test('workers share what is sent to their group, and the room counts nothing of it', async () => {
  const boss = await Person.enters(BINARY, false)
  const workers = [await Person.enters(BINARY, false), await Person.enters(TEXT, false)]
  for (const worker of workers) {
    worker.say(join(2, WORKERS))
    await worker.hears('joined')
  }
  for (let i = 0; i < 4; i++) boss.say(text(i, `job ${i}`, { to: [WORKERS], receipt: 0 }))
  const jobs = async (worker: Person) => {
    const bodies = [await worker.hears('envelope'), await worker.hears('envelope')]
    return bodies.map((body) => body.case === 'envelope' && body.value.content.value)
  }
  expect(await Promise.all(workers.map(jobs))).toEqual([
    ['job 0', 'job 2'],
    ['job 1', 'job 3'],
  ])
  boss.say(text(9, 'all', { to: [ROOM] }))
  await boss.hears('receipt')
  boss.say({
    id: 10,
    body: { case: 'command', value: { action: { case: 'getStats', value: { of: ROOM } } } },
  })
  const body = await boss.hears('stats')
  const action = body.case === 'command' ? body.value.action : undefined
  expect(action?.value).toMatchObject({
    occupancies: [{ address: ROOM, messages: 1n, bytes: 3n }],
    more: false,
  })
})
