/** Gateways that flood: nothing grows, and what is beyond all measure ends it. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { challenge, SOCKET } from '../../support/lock-frames.ts'
import { joined, type Line, message, receipt } from '../../support/peer.ts'
import { action, type FrameInit, Midst, ROOM, times } from './midst.ts'

const BEAT_MS = 1000
/** In bytes, by 5,000 frames of which something is kept. */
const GROWS = 400_000

let midst: Midst
beforeEach(async () => {
  midst = await Midst.open()
})
afterEach(() => midst.close())

describe('a gateway that floods', () => {
  test.each<[string, (index: number) => FrameInit]>([
    [
      'messages that nobody reads',
      (index) => message('x'.repeat(100), { sequence: BigInt(100 + index) }),
    ],
    ['direct messages', () => message('x'.repeat(100), { route: 0, target: SOCKET })],
    ['receipts', (index) => receipt(index + 10_000, { status: 1 })],
    ['new numbers for the same room', (index) => joined(0, ROOM, { route: index + 1 })],
    [
      'what is lost',
      (index) => action({ case: 'lost', value: { route: 1, fromSequence: BigInt(index) } }),
    ],
    [
      'resume tokens',
      (index) => ({ body: { case: 'resume', value: { token: `${index}`.padEnd(900, 'x') } } }),
    ],
    [
      'verdicts',
      () => ({
        body: { case: 'lockStep', value: { step: { case: 'verdict', value: { outcome: 1 } } } },
      }),
    ],
    [
      'clients that it proves',
      (index) => ({
        body: {
          case: 'lockStep',
          value: {
            step: {
              case: 'verdict',
              value: { outcome: 1, values: { client: `client:acme/${index}` } },
            },
          },
        },
      }),
    ],
    ['rooms left', (index) => action({ case: 'left', value: { address: `room:acme/r${index}` } })],
    ['pages of nobody', (index) => ({ ...message('x'), id: index + 10_000 })],
    ['events', () => ({ body: { case: 'event', value: { kind: 1, socket: SOCKET } } })],
    ['presence', () => action({ case: 'presence', value: { route: 1, left: [SOCKET], count: 1 } })],
    ['frames of no kind', (index) => ({ id: index + 10_000 })],
  ])('with %s: nothing grows', async (_, frame) => {
    let count = 0
    const flood = async () => {
      for (let round = 0; round < 5; round++) {
        midst.line.send(...times(1000, () => frame(count++)))
      }
      midst.line.send(joined(0, ROOM))
      await midst.goesOn(BigInt(100 + count))
      return heapBytes()
    }
    let [before, grown] = [await flood(), GROWS]
    // What is kept of each frame grows each time; what an engine keeps for itself does not.
    for (let again = 0; again < 4 && grown >= GROWS; again++) {
      const now = await flood()
      ;[before, grown] = [now, now - before]
    }
    expect(grown).toBeLessThan(GROWS)
  })

  test.each<[string, string, (line: Line) => void]>([
    [
      'with rooms',
      'ROOM_LIMIT',
      (line) => line.send(...times(2000, (index) => joined(0, `room:acme/r${index}`))),
    ],
    [
      'with challenges',
      'NESTING_TOO_DEEP',
      (line) => line.send(...times(1000, () => challenge(0, { acceptor: 'tty', place: ROOM }))),
    ],
    [
      'with frames of two bytes',
      'TOO_MANY_FRAMES',
      (line) => line.sendBytes(new Uint8Array(140_000).map((_, at) => (at % 2 ? 0 : 0x0a))),
    ],
    [
      'with names in one list',
      'PACKET_TOO_LARGE',
      (line) => {
        const value = { left: Array<string>(600_000).fill('') }
        line.send(action({ case: 'presence', value }))
      },
    ],
    [
      'with bytes in one packet',
      'PACKET_TOO_LARGE',
      (line) => line.sendBytes(new Uint8Array(17 * 2 ** 20)),
    ],
  ])('%s is left', async (_, code, flood) => {
    flood(midst.line)
    await midst.endsWith(code)
  })

  test('with what it wants an answer to, and reads none, is left', async () => {
    await midst.connect({ queueBytes: 1000 })
    midst.line.pause()
    const place = 'room:acme/'.padEnd(200_000, 'x')
    for (const id of Array(200).keys())
      midst.line.send(challenge(10_000 + id, { acceptor: 'tty', place }))
    expect((await midst.closed).error).toMatchObject({ code: 'SLOW_CONSUMER' })
  })

  test('with live messages, while the past never ends, is left', async () => {
    const joining = midst.client.join('acme/board', { since: 'start' })
    const { id } = await midst.line.frame('room')
    const backlog = { recovered: true, afterSequence: 0n }
    const value = { address: 'room:acme/board', route: 2, listening: true, epoch: 1n, backlog }
    midst.line.send({ ...action({ case: 'joined', value }), id } as FrameInit)
    await joining
    const text = 'x'.repeat(100_000)
    for (const at of Array(200).keys())
      midst.line.send(message(text, { route: 2, sequence: BigInt(at) + 1n }))
    expect((await midst.closed).error).toMatchObject({ code: 'SLOW_CONSUMER' })
  })

  test('with heartbeats gets no answer to any', async () => {
    await midst.connect({}, BEAT_MS)
    midst.clock.advance(BEAT_MS / 2)
    for (const _ of Array(1000)) midst.line.sendBytes(new Uint8Array())
    midst.line.send(message('mark'))
    await midst.room.messages().next()
    const sending = midst.room.send('x')
    midst.line.send(receipt((await midst.line.frame('envelope')).id))
    expect(await sending).toMatchObject({ status: 'ROUTED' })
  })

  test('with messages that one loop does not take ends that loop alone', async () => {
    const slow = midst.room.messages({ bufferBytes: 10_000 })
    for (const at of Array(100).keys())
      midst.line.send(message('x'.repeat(1000), { sequence: BigInt(at + 10) }))
    await midst.goesOn(500n)
    const heard: string[] = []
    await expect(async () => {
      for await (const { id } of slow) heard.push(id)
    }).rejects.toMatchObject({ code: 'SLOW_CONSUMER' })
    expect(heard.length).toBeLessThan(10)
  })
})

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}
