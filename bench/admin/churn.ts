/**
 * Sockets that go in and out of a room, while two others tell how long a message takes between
 * them: now with somebody who watches all sockets, now without. Prints the times as JSON.
 *
 *   node bench/admin/churn.ts TASK.json
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { type FrameSchema, PacketSchema } from '@porthouse/proto/v1/frame'
import { WebSocket } from 'ws'
import { cpuOf } from './cpu.ts'

export interface Task {
  readonly port: number
  /** Of the server. */
  readonly pid: number
  readonly key: string
  readonly sockets: number
  /** Two rooms that anybody may enter: `account/room`. */
  readonly rooms: readonly [string, string]
  readonly rounds: number
  /** Of one leg, with or without a watch. */
  readonly legMs: number
}

/** Milliseconds that messages took, by leg. */
export interface Times {
  readonly alone: number[][]
  readonly watched: number[][]
  /** Parts of a core that the server was at work meanwhile, by leg. */
  readonly cpuAlone: number[]
  readonly cpuWatched: number[]
  /** Bytes that were told to those who watched. */
  readonly told: number
}

/** Sockets that go in or out at once, and what lies between, in milliseconds. */
const AT_ONCE = 10
const CHURN_MS = 5
const PING_MS = 2
const OPENED_AT_ONCE = 100
const SETTLE_MS = 500

const task: Task = JSON.parse(readFileSync(process.argv[2]!, 'utf8'))
const [crowded, quiet] = task.rooms

function packet(body: MessageInitShape<typeof FrameSchema>['body'], id = 0): Uint8Array {
  return toBinary(PacketSchema, create(PacketSchema, { frames: [{ id, body: body! }] }))
}

/** Resolves when it is in the room. */
async function open(room: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${task.port}/${room}`, 'porthouse.v1')
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.once('message', () => resolve())
  })
  return socket
}

/** One after the other goes into the crowded room, or out of it. */
async function churn(sockets: readonly WebSocket[], goesOn: () => boolean): Promise<void> {
  const address = `room:${crowded}`
  const join = packet({ case: 'room', value: { action: { case: 'join', value: { address } } } }, 1)
  const leave = packet(
    { case: 'room', value: { action: { case: 'leave', value: { address } } } },
    2,
  )
  for (let i = 0; goesOn(); i++) {
    for (let n = 0; n < AT_ONCE; n++) {
      const at = (i * AT_ONCE + n) % (2 * sockets.length)
      sockets[at % sockets.length]!.send(at < sockets.length ? leave : join)
    }
    await pause(CHURN_MS)
  }
}

/** How long messages take from one to the other, for `ms`. */
async function timed(from: WebSocket, to: WebSocket, ms: number): Promise<number[]> {
  const times: number[] = []
  const hears = (data: Buffer) => {
    for (const { body } of fromBinary(PacketSchema, new Uint8Array(data)).frames) {
      const sent = body.case === 'envelope' && body.value.content.value
      if (typeof sent === 'string') times.push(performance.now() - Number(sent))
    }
  }
  to.on('message', hears)
  const until = performance.now() + ms
  while (performance.now() < until) {
    const content = { case: 'text', value: String(performance.now()) } as const
    from.send(packet({ case: 'envelope', value: { content } }))
    await pause(PING_MS)
  }
  await pause(SETTLE_MS)
  to.off('message', hears)
  return times
}

/** Resolves when all sockets are told to somebody who watches them from then on. */
async function watch(): Promise<() => Promise<number>> {
  const file = join(import.meta.dirname, 'reader.ts')
  const reader = fork(file, [String(task.port), task.key])
  await once(reader, 'message')
  return async () => {
    reader.send('end')
    const [bytes] = await once(reader, 'message')
    return bytes as number
  }
}

const sockets: WebSocket[] = []
while (sockets.length < task.sockets) {
  const some = Math.min(OPENED_AT_ONCE, task.sockets - sockets.length)
  sockets.push(...(await Promise.all(Array.from({ length: some }, () => open(crowded)))))
}
const [one, other] = [await open(quiet), await open(quiet)]
let over = false
const churning = churn(sockets, () => !over)
const times = {
  alone: [] as number[][],
  watched: [] as number[][],
  cpuAlone: [] as number[],
  cpuWatched: [] as number[],
  told: 0,
}

async function leg(all: number[][], cpu: number[]): Promise<void> {
  const [before, start] = [cpuOf(task.pid), performance.now()]
  all.push(await timed(one, other, task.legMs))
  cpu.push((cpuOf(task.pid) - before) / 1000 / (performance.now() - start))
}

await timed(one, other, task.legMs)
for (let round = 0; round < task.rounds; round++) {
  await leg(times.alone, times.cpuAlone)
  // The snapshot is told once, the changes for as long as it lasts.
  const stop = await watch()
  await leg(times.watched, times.cpuWatched)
  times.told += await stop()
}
over = true
await churning
console.log(JSON.stringify(times satisfies Times))
for (const socket of [...sockets, one, other]) socket.terminate()
