/** A room is loaded at its first join, is one for all, and is gone with the last member (R26). */

import { pino } from 'pino'
import { beforeEach, describe, expect, test } from 'vitest'
import { schema } from '../../gateway/config/config.ts'
import { Lingering } from '../../gateway/rooms/history/lingering.ts'
import { RoomHistories } from '../../gateway/rooms/history/room-histories.ts'
import { HistoryWriter } from '../../gateway/rooms/history/writer.ts'
import { RetainedRooms } from '../../gateway/rooms/retained/retained-rooms.ts'
import { RetainedWriter } from '../../gateway/rooms/retained/retained-writer.ts'
import { type Room, Rooms } from '../../gateway/rooms/rooms.ts'
import { Graph } from '../../gateway/router/graph.ts'
import { IdempotencyWindow } from '../../gateway/router/idempotency.ts'
import { Turn } from '../../gateway/router/turn.ts'
import type { RoomRecord, Rooms as StoredRooms } from '../../gateway/store/store.ts'
import { MemoryStore, OPEN } from '../support/memory-store.ts'
import { flows } from './flows.ts'

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
  const turn = new Turn(
    (run) => ends.push(run),
    () => 0,
  )
  const uptime = () => 1000
  const log = pino({ level: 'silent' })
  const { histories } = store
  const options = schema.parse({ data: 'nowhere' }).history
  const writer = new HistoryWriter({ histories, turn, uptime, stopwatch: uptime, log, options })
  const keys = new IdempotencyWindow({ windowMs: 1000, keys: 10 })
  const parts = { histories, writer, keys, clock: uptime, uptime, log }
  rooms = new Rooms({
    stored: store.rooms as StoredRooms,
    graph,
    turn,
    histories: new RoomHistories(parts),
    retained: new RetainedRooms(store.retained, new RetainedWriter(store.retained, log, 1_000_000)),
    sessionBytes: 1_000_000,
    lingering: new Lingering({ bytes: 1_000_000 }, uptime),
    flows,
  })
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
