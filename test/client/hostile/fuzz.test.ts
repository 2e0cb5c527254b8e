/**
 * Bytes that nobody has thought of: golden frames with some of their bytes changed, cut out, doubled
 * and joined, given to the decoder alone and to a whole client, whose socket is in memory.
 */
import { create, toBinary } from '@bufbuild/protobuf'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { connect, prompts } from '../../../clients/ts/src/index.ts'
import { decodePacket } from '../../../clients/ts/src/packet.ts'
import type { WebSocketLike } from '../../../clients/ts/src/websocket.ts'
import { bytesOf, goldenFrames } from '../../support/golden-frames.ts'
import { limits, ManualClock } from '../../support/peer.ts'

const seeds = goldenFrames()
  .map(([, golden]) => bytesOf(golden))
  .filter(({ length }) => length > 0 && length < 300)

type Change = (bytes: Uint8Array) => Uint8Array

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const cut = (bytes: Uint8Array, part: number) => Math.floor(part * bytes.length)

/** What is from the one place to the other is replaced. */
const change: fc.Arbitrary<Change> = fc
  .tuple(place, place, fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.constantFrom(...seeds)))
  .map(([from, to, by]): Change => {
    return (bytes) =>
      Buffer.concat([bytes.subarray(0, cut(bytes, from)), by, bytes.subarray(cut(bytes, to))])
  })
const turned: fc.Arbitrary<Change> = fc.tuple(place, fc.nat(255)).map(([part, value]): Change => {
  return (bytes) => bytes.map((byte, index) => (index === cut(bytes, part) ? value : byte))
})

const packet = fc
  .tuple(fc.constantFrom(...seeds), fc.array(fc.oneof(change, turned), { maxLength: 4 }))
  .map(([seed, changes]) => changes.reduce((bytes, each) => each(bytes), seed as Uint8Array))

test('the decoder gives frames, or refuses by a code', () => {
  fc.assert(
    fc.property(packet, (bytes) => {
      try {
        expect(Array.isArray(decodePacket(bytes))).toBe(true)
      } catch (error) {
        expect(error).toMatchObject({ name: 'PorthouseError', code: 'MALFORMED_PACKET' })
      }
    }),
    { numRuns: 5000 },
  )
})

test('a golden frame that is cut anywhere is refused by its code, or is a shorter one', () => {
  for (const seed of seeds) {
    for (let length = 0; length < seed.length; length++) {
      try {
        decodePacket(seed.subarray(0, length))
      } catch (error) {
        expect(error).toMatchObject({ name: 'PorthouseError', code: 'MALFORMED_PACKET' })
      }
    }
  }
})

/** A socket whose other end is the test. */
class MemorySocket implements WebSocketLike {
  static last: MemorySocket
  binaryType = ''
  readonly protocol = 'porthouse.v1'
  readyState = 1
  readonly bufferedAmount = 0
  onopen: WebSocketLike['onopen'] = null
  onmessage: WebSocketLike['onmessage'] = null
  onclose: WebSocketLike['onclose'] = null
  onerror: WebSocketLike['onerror'] = null

  constructor() {
    MemorySocket.last = this
    queueMicrotask(() => this.onopen?.({} as never))
  }

  send(): void {}

  close(): void {
    this.readyState = 3
  }

  hear(bytes: Uint8Array): void {
    this.onmessage?.({ data: Uint8Array.from(bytes).buffer } as never)
  }

  end(): void {
    this.onclose?.({ code: 4550 } as never)
  }
}

test('a client in the midst of things: whoever waits is told by a code, and nothing is left', async () => {
  const talk = fc.array(packet, { minLength: 1, maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(talk, async (packets) => {
      const clock = new ManualClock()
      const locks = [prompts(async () => ['x'])]
      const options = { locks, clock, reconnect: false, WebSocket: MemorySocket }
      const connecting = connect('ws://127.0.0.1', options)
      const socket = MemorySocket.last
      // Hello is the first frame, and has the first id.
      const hello = { id: 1, body: { case: 'welcome' as const, value: { limits } } }
      socket.hear(toBinary(PacketSchema, create(PacketSchema, { frames: [hello] })))
      const client = await connecting
      const waiting: Promise<unknown>[] = [
        client.messages().next(),
        client.join('acme/boiler', { since: 'start' }),
        client.send('acme/boiler', 'x'),
        client.sockets().next(),
        client.unread().next(),
      ]
      for (const each of packets) {
        socket.hear(each)
        await undefined
      }
      socket.end()
      for (const { reason } of (await Promise.allSettled(waiting)) as PromiseRejectedResult[]) {
        if (reason !== undefined) expect(reason).toMatchObject({ name: 'PorthouseError' })
      }
      await client.close()
      expect(clock.pending).toBe(0)
    }),
    { numRuns: 500 },
  )
})
