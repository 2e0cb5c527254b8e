/**
 * Golden frames with some of their bytes changed, given to the decoder alone and to a whole client,
 * whose socket is in memory.
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
import { changedBytes } from './changed-bytes.ts'

const seeds = goldenFrames()
  .map(([, golden]) => bytesOf(golden))
  .filter(({ length }) => length > 0 && length < 300)

const packet = changedBytes(seeds)

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

test('a client is told by a code, whatever it waits for, and nothing is left', async () => {
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
