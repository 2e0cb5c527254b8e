/** The slow-consumer policies on a real gateway, against clients that really stop to read (R46). */
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import { Code } from '@porthouse/proto/v1/code'
import type { Frame } from '@porthouse/proto/v1/frame'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { text } from '../support/client-frames.ts'
import { TestGateway } from '../support/gateway.ts'
import { brief } from '../support/heard.ts'
import { OPEN } from '../support/memory-store.ts'
import { RawWebSocket, resetRawWebSockets } from '../support/raw-websocket.ts'

const OUTBOX_BYTES = 600_000

let gateway: TestGateway
/** The same, with little patience. */
let hasty: TestGateway
let route = 0

beforeAll(async () => {
  gateway = await TestGateway.start({ outbox: { bytes: OUTBOX_BYTES } })
  hasty = await gateway.beside({ outbox: { bytes: OUTBOX_BYTES, ageMs: 500 } })
  for (const [name, policy] of Object.entries(Policy)) {
    await gateway.room(`acme/${name.toLowerCase().replace('_', '-')}`, [
      OPEN,
      { case: 'slowConsumers', value: { policy } as never },
    ])
  }
})
afterEach(resetRawWebSockets)
afterAll(async () => {
  await hasty.stop()
  await gateway.stop()
})

async function member(room: string, at = gateway): Promise<RawWebSocket> {
  const socket = await RawWebSocket.open(at.port, { path: `/acme/${room}` })
  const { body } = await socket.frame()
  const action = body.case === 'room' ? body.value.action : undefined
  if (action?.case !== 'joined') throw new Error('not joined')
  route = action.value.route
  return socket
}

const CHANNELS = 10
const PAYLOAD = 'x'.repeat(50_000)

/** Sends so many messages and waits until each has its receipt; gives the sockets each reached. */
async function pour(sender: RawWebSocket, from: number, to: number): Promise<number[]> {
  const sockets: number[] = []
  for (let i = from; i <= to; i++) {
    sender.packet(text(i, `${i} ${PAYLOAD}`, { route, channel: `${i % CHANNELS}` }))
    const { body } = await sender.frame()
    if (body.case !== 'receipt') throw new Error(`${body.case} in place of a receipt`)
    sockets.push(body.value.sockets)
  }
  return sockets
}

/** Reads on until a message that says this. */
async function readTo(socket: RawWebSocket, last: string): Promise<Frame[]> {
  const frames: Frame[] = []
  for (;;) {
    const frame = await socket.frame()
    frames.push(frame)
    if (frame.body.case === 'envelope' && frame.body.value.content.value === last) return frames
  }
}

/** What was got and what was told lost, of a room's messages. */
function account(frames: Frame[]) {
  const got: number[] = []
  const lost: { from: number; to: number; count: number; after: number }[] = []
  for (const { body } of frames) {
    if (body.case === 'envelope') got.push(Number(body.value.stamp!.sequence))
    if (body.case !== 'room' || body.value.action.case !== 'lost') continue
    const { fromSequence, toSequence, count, code } = body.value.action.value
    expect(code).toBe(Code.SLOW_CONSUMER)
    const [from, to] = [Number(fromSequence), Number(toSequence)]
    lost.push({ from, to, count, after: got.at(-1) ?? 0 })
  }
  return { got, lost }
}

/** More than the kernel, the connection and the queue can hold together. */
const FLOOD = 250

describe.each(['drop-oldest', 'drop-newest', 'conflate'])(
  'a slow socket in a room of %s',
  (room) => {
    test('is told exactly what it lost, and the others lose nothing', async () => {
      const [slow, fast, sender] = [await member(room), await member(room), await member(room)]
      slow.pause()
      const reading = readTo(fast, 'end')
      await pour(sender, 1, FLOOD)
      slow.resume()
      sender.packet(text(0, 'end', { route, channel: 'end', receipt: 0 }))
      const everything = account(await reading)
      expect(everything.lost).toEqual([])
      expect(everything.got).toHaveLength(FLOOD + 1)
      // Under drop-newest the end itself may be lost: another one comes when there is room again.
      const frames =
        room === 'drop-newest' ? await readNewest(slow, sender) : await readTo(slow, 'end')
      const { got, lost } = account(frames)
      expect(got).toEqual([...new Set(got)].toSorted((a, b) => a - b))
      const missing = Array.from({ length: got.at(-1)! }, (_, i) => i + 1).filter(
        (sequence) => !got.includes(sequence),
      )
      expect(missing.length).toBeGreaterThan(0)
      expect(lost.reduce((sum, { count }) => sum + count, 0)).toBe(missing.length)
      for (const sequence of missing) {
        expect(lost.some(({ from, to }) => from <= sequence && sequence <= to)).toBe(true)
      }
      // A loss is told before a message that is newer than it.
      for (const { from, after } of lost) expect(after).toBeLessThan(from)
    })
  },
)

/** Asks for a message after the flood until one is heard. */
async function readNewest(slow: RawWebSocket, sender: RawWebSocket): Promise<Frame[]> {
  const frames: Frame[] = []
  for (let i = 1; ; i++) {
    const reader = slow.frame()
    sender.packet(text(i, 'end', { route, channel: 'end' }))
    await sender.frame()
    const frame = await reader
    frames.push(frame)
    if (frame.body.case === 'envelope' && frame.body.value.content.value === 'end') return frames
  }
}

describe('a slow socket in a room that disconnects', () => {
  test('goes with SLOW_CONSUMER as its last frame, and the others stay', async () => {
    const [slow, fast, sender] = [
      await member('disconnect'),
      await member('disconnect'),
      await member('disconnect'),
    ]
    slow.pause()
    const reading = readTo(fast, 'end')
    const sockets = await pour(sender, 1, FLOOD)
    sender.packet(text(0, 'end', { route, channel: 'end', receipt: 0 }))
    expect(account(await reading).got).toHaveLength(FLOOD + 1)
    expect([sockets[0], sockets.at(-1)]).toEqual([2, 1])
    slow.resume()
    const frames = await slow.rest()
    expect((await slow.ended).code).toBe(4072)
    expect(brief(frames.at(-1)!)).toBe('0 drop SLOW_CONSUMER')
    const { got } = account(frames)
    expect(got).toEqual(got.map((_, i) => i + 1))
  })
})

test('a burst within one turn reaches who reads it whole, at once', async () => {
  const [fast, sender] = [await member('disconnect'), await member('disconnect')]
  const burst = Array.from({ length: 15 }, (_, i) => text(i + 1, `${i} ${PAYLOAD}`, { route }))
  for (let i = 0; i < 5; i++) {
    sender.packet(...burst)
    const { got } = account(await fast.frames(burst.length))
    expect(got).toEqual(burst.map((_, each) => got[0]! + each))
  }
})

test('one that takes nothing for as long as it may goes, whatever the policy', async () => {
  const [slow, sender] = [await member('conflate', hasty), await member('conflate', hasty)]
  slow.pause()
  // It says that it is alive, and gets more and more.
  for (let i = 1; hasty.sockets > 1; i++) {
    slow.packet()
    sender.packet(text(i, `${i} ${PAYLOAD}`, { route }))
    await sender.frame()
  }
  slow.resume()
  expect((await slow.ended).code).toBe(4072)
})
