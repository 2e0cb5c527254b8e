/** What messages pass while somebody is away: after the program, instead of nothing at all. */
import type { Block } from '@porthouse/proto/room/v1/config'
import { Keep } from '@porthouse/proto/room/v1/history'
import { pino } from 'pino'
import { beforeEach, expect, test } from 'vitest'
import { schema } from '../../gateway/config/config.ts'
import type { AwayKeeper } from '../../gateway/rooms/away.ts'
import { Lingering } from '../../gateway/rooms/history/lingering.ts'
import { RoomHistories } from '../../gateway/rooms/history/room-histories.ts'
import { HistoryWriter } from '../../gateway/rooms/history/writer.ts'
import type { RoomProgram } from '../../gateway/rooms/program.ts'
import { RetainedRooms } from '../../gateway/rooms/retained/retained-rooms.ts'
import { RetainedWriter } from '../../gateway/rooms/retained/retained-writer.ts'
import { type Room, Rooms } from '../../gateway/rooms/rooms.ts'
import { straight } from '../../gateway/router/deliver.ts'
import { Graph } from '../../gateway/router/graph.ts'
import { IdempotencyWindow } from '../../gateway/router/idempotency.ts'
import type { Intake } from '../../gateway/router/intake.ts'
import type { Place } from '../../gateway/router/place.ts'
import { Turn } from '../../gateway/router/turn.ts'
import type { Rooms as StoredRooms } from '../../gateway/store/store.ts'
import { MemoryStore, OPEN } from '../support/memory-store.ts'
import { flows } from './flows.ts'

const DURABLE: Block['kind'] = { case: 'history', value: { keep: Keep.DURABLE } as never }
const PROGRAM: Block['kind'] = { case: 'program', value: { module: 'gate' } as never }

/** Somebody who is away, or not, as a test says. */
class Away implements AwayKeeper {
  isAway = false
  readonly intake: Intake = { take: () => {} }
  readonly #place: Place
  readonly #changed: () => void

  constructor(place: Place, changed: () => void) {
    this.#place = place
    this.#changed = changed
  }

  get active(): boolean {
    return this.isAway && !this.#place.stores
  }

  set(isAway: boolean): void {
    this.isAway = isAway
    this.#changed()
  }

  configured(): void {}
  close(): void {}
  refuses(): undefined {}
  keep(): boolean {
    return true
  }
}

let store: MemoryStore
let rooms: Rooms
let away: Away
/** What follows the room's program. */
let next: Intake | undefined

beforeEach(() => {
  store = new MemoryStore()
  next = undefined
  const turn = new Turn(setImmediate, () => performance.now())
  const uptime = () => 1000
  const log = pino({ level: 'silent' })
  const { histories } = store
  const options = schema.parse({ data: 'nowhere' }).history
  const writer = new HistoryWriter({ histories, turn, uptime, stopwatch: uptime, log, options })
  const keys = new IdempotencyWindow({ windowMs: 1000, keys: 10 })
  rooms = new Rooms({
    stored: store.rooms as StoredRooms,
    graph: new Graph(),
    turn,
    histories: new RoomHistories({ histories, writer, keys, clock: uptime, uptime, log }),
    retained: new RetainedRooms(store.retained, new RetainedWriter(store.retained, log, 1_000)),
    sessionBytes: 1_000_000,
    lingering: new Lingering({ bytes: 1_000_000 }, uptime),
    programs: {
      attach: ({ program }, first) => {
        next = first
        return {
          program,
          passTo: (other: Intake) => {
            next = other
          },
          end: () => {},
        } as RoomProgram
      },
      stop: () => {},
      figures: { processes: 0, messages: 0, bytes: 0, failures: 0 },
    },
    away: {
      async open(_id, place, changed) {
        away = new Away(place, changed)
        return away
      },
    },
    flows,
  })
})

async function open(...blocks: Block['kind'][]): Promise<Room> {
  store.room('acme/hall', OPEN, ...blocks)
  const room = (await rooms.open('acme', 'hall'))!
  room.members++
  return room
}

test('is what keeps for them, as long as anybody is', async () => {
  const { place } = await open()
  expect(place.intake).toBeUndefined()
  away.set(true)
  expect(place.intake).toBe(away.intake)
  away.set(false)
  expect(place.intake).toBeUndefined()
})

test('is after the program of the room', async () => {
  const { place, program } = await open(PROGRAM)
  expect(next).toBe(straight)
  away.set(true)
  expect(place.intake).toBe(program)
  expect(next).toBe(away.intake)
  away.set(false)
  expect(next).toBe(straight)
})

test('is the history alone where that stores all', async () => {
  const { place, history } = await open(DURABLE)
  away.set(true)
  expect(place.intake).toBe(history.intake)
})

test('is not let past what is held while the history changes', async () => {
  const room = await open()
  const { place } = room
  store.configure('acme/hall', OPEN, DURABLE)
  const record = (await store.rooms.find!('acme', 'hall'))!
  const held = Promise.withResolvers<Intake | undefined>()
  await rooms.configure(room, record, async () => {
    const hold = place.intake
    away.set(true)
    held.resolve(place.intake === hold ? hold : undefined)
  })
  expect(await held.promise).toBeDefined()
  expect(place.intake).toBe(room.history.intake)
  store.configure('acme/hall', OPEN)
  await rooms.configure(room, (await store.rooms.find!('acme', 'hall'))!)
  expect(place.intake).toBe(away.intake)
})

test('is as it was where a change fails', async () => {
  const room = await open()
  store.configure('acme/hall', OPEN, DURABLE)
  const record = (await store.rooms.find!('acme', 'hall'))!
  store.away = true
  const failing = rooms.configure(room, record)
  away.set(true)
  await expect(failing).rejects.toMatchObject({ failure: 'unavailable' })
  expect(room.place.intake).toBe(away.intake)
})
