/** A room is loaded at its first join, is one for all, and is gone with the last member (R26). */
import { create } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Acceptor } from '../../gateway/locks/acceptor.ts'
import { tokenAcceptor } from '../../gateway/locks/acceptors/token.ts'
import { checkConfig, type FlowReader, readConfig } from '../../gateway/rooms/config.ts'
import { type Room, Rooms } from '../../gateway/rooms/rooms.ts'
import { Graph } from '../../gateway/router/graph.ts'
import { Turn } from '../../gateway/router/turn.ts'
import type { RoomRecord, Store, Rooms as StoredRooms } from '../../gateway/store/store.ts'
import { MemoryStore, OPEN } from '../support/memory-store.ts'

const token = tokenAcceptor({ store: new MemoryStore() as unknown as Store })
const DEFAULTS = { tries: 3, deadlineMs: 10_000 }
const flows: FlowReader = {
  acceptors: new Map([['token', token as Acceptor]]),
  defaults: DEFAULTS,
}
const TOKEN = { acceptor: 'token', ...DEFAULTS, options: undefined, key: 'token {}' }
const VISITORS = { send: true, receive: true, admit: false, channels: [] }

let store: MemoryStore
let graph: Graph
let rooms: Rooms
let ends: (() => void)[]
let record: RoomRecord

beforeEach(() => {
  store = new MemoryStore()
  record = store.room('acme/boiler', OPEN)
  graph = new Graph()
  ends = []
  const turn = new Turn((run) => ends.push(run))
  rooms = new Rooms({ stored: store.rooms as StoredRooms, graph, turn, clock: () => 1000, flows })
})

function endTurn(): void {
  for (const run of ends.splice(0)) run()
}

async function open(account = 'acme', room = 'boiler'): Promise<Room> {
  const opened = await rooms.open(account, room)
  if (!opened) throw new Error('no such room')
  return opened
}

describe('a room', () => {
  test('is loaded once, whoever asks at the same time and by which names', async () => {
    const { id, account } = record
    const all = await Promise.all([
      open(),
      open(),
      open(account.id, 'boiler'),
      open('acme', id),
      open(account.id, id),
    ])
    expect(new Set(all).size).toBe(1)
    expect(graph.place(`${account.id}/${id}`)).toBe(all[0]!.place)
    expect(graph.place('acme/boiler')).toBe(all[0]!.place)
    const asked = store.asked
    expect(await open()).toBe(all[0])
    expect(store.asked).toBe(asked)
  })

  test('that does not exist is none, and is asked for again', async () => {
    expect(await rooms.open('acme', 'none')).toBeUndefined()
    store.room('acme/none', OPEN)
    expect(await open('acme', 'none')).toMatchObject({ members: 0 })
  })

  test('that could not be loaded can be loaded later', async () => {
    store.away = true
    await expect(open()).rejects.toMatchObject({ failure: 'unavailable' })
    store.away = false
    expect((await open()).record).toBe(record)
  })

  test('is gone from everywhere at the end of the turn in which nobody is left', async () => {
    const room = await open()
    room.members++
    rooms.release(room)
    endTurn()
    expect(await open()).toBe(room)
    room.members--
    rooms.release(room)
    expect(await open()).toBe(room)
    endTurn()
    expect(graph.place('acme/boiler')).toBeUndefined()
    expect(graph.place(`${record.account.id}/${record.id}`)).toBeUndefined()
  })

  test('stays where somebody joins in the turn in which another left', async () => {
    const room = await open()
    rooms.release(room)
    room.members++
    endTurn()
    expect(await open()).toBe(room)
  })

  test('loaded again has another epoch and another route, however soon [PH-7.6]', async () => {
    const epochs: number[] = []
    const routes: number[] = []
    for (let i = 0; i < 3; i++) {
      const room = await open()
      epochs.push(room.place.epoch)
      routes.push(room.place.route)
      rooms.release(room)
      endTurn()
    }
    expect(epochs).toEqual(epochs.toSorted((a, b) => a - b))
    expect(new Set(epochs).size).toBe(3)
    expect(new Set(routes).size).toBe(3)
  })

  test('that two release is not taken from who loads it anew', async () => {
    const old = await open()
    rooms.release(old)
    rooms.release(old)
    endTurn()
    const anew = await open()
    anew.members++
    rooms.release(old)
    endTurn()
    expect(await open()).toBe(anew)
    expect(graph.place('acme/boiler')).toBe(anew.place)
  })
})

describe('a config', () => {
  const of = (...kinds: object[]) =>
    create(ConfigSchema, { blocks: kinds.map((kind) => ({ kind: kind as never })) })

  test('without blocks asks for a token, does not echo and drops the slow', () => {
    expect(readConfig(of(), flows)).toEqual({
      flow: { kind: 'lock', lock: TOKEN },
      visitors: VISITORS,
      visited: false,
      echo: false,
      slowConsumers: Policy.DISCONNECT,
    })
  })

  test('is as its blocks say', () => {
    const config = of(
      { case: 'access', value: { locks: [] } },
      { case: 'echo', value: { enabled: true } },
      { case: 'slowConsumers', value: { policy: Policy.CONFLATE } },
    )
    expect(checkConfig(config, flows)).toEqual([])
    expect(readConfig(config, flows)).toEqual({
      flow: undefined,
      visitors: VISITORS,
      visited: false,
      echo: true,
      slowConsumers: Policy.CONFLATE,
    })
  })

  test.each([
    ['a block of no kind', of({ case: undefined })],
    ['two of a kind', of({ case: 'echo', value: {} }, { case: 'echo', value: {} })],
    ['an unknown acceptor', of({ case: 'access', value: { locks: ['magic'] } })],
    ['both locks and a flow', of({ case: 'access', value: { locks: ['token'], flow: {} } })],
    ['a flow of nothing', of({ case: 'access', value: { flow: {} } })],
    ['an unknown policy', of({ case: 'slowConsumers', value: { policy: 99 } })],
  ])('with %s is at fault', (_, config) => {
    expect(checkConfig(config, flows)).toHaveLength(1)
  })
})
