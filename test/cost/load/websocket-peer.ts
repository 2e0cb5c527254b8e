/** A peer that speaks porthouse.v1. */
import { fromBinary } from '@bufbuild/protobuf'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import { answer, type FrameInit, hello, join, packetOf } from '../../support/client-frames.ts'
import { BINARY, encodeFrame, encodeHandshake, PING, PONG } from '../../support/raw-websocket.ts'
import type { Arrivals } from './arrivals.ts'
import { type Entry, Peer, type Taken } from './peer.ts'

const HEAD_END = '\r\n\r\n'
/** Tag of the one field of a Packet. */
const FRAMES = (1 << 3) | 2

export class WebSocketPeer extends Peer {
  #isUpgraded = false
  #route = 0

  /** Resolves when it is in the room. */
  static async open(entry: Entry, arrivals: Arrivals): Promise<WebSocketPeer> {
    const { port, token, room, sendOnly } = entry
    const peer = new WebSocketPeer(await Peer.dial(port), arrivals)
    const packet = packetOf(hello(1), answer(2, token), join(3, `room:${room}`, sendOnly))
    peer.send(Buffer.concat([Buffer.from(encodeHandshake()), encodeFrame(BINARY, packet)]))
    await peer.entered.promise
    return peer
  }

  publish(payload: Buffer, id = 0, level: ReceiptLevel = ReceiptLevel.ROUTED): Buffer {
    const receipt = id > 0 ? level : ReceiptLevel.UNSPECIFIED
    const routing = { route: this.#route, receipt }
    const value = { routing, content: { case: 'payload' as const, value: payload } }
    return encodeFrame(BINARY, packetOf({ id, body: { case: 'envelope', value } } as FrameInit))
  }

  protected take(bytes: Buffer): Taken | undefined {
    if (!this.#isUpgraded) return this.#upgrade(bytes)
    const short = bytes[1] ?? 0
    const start = short < 126 ? 2 : short === 126 ? 4 : 10
    if (bytes.length < start) return undefined
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
    const size = start + length
    if (bytes.length < size) return undefined
    const packet = bytes.subarray(start, size)
    if (((bytes[0] ?? 0) & 0x0f) === PING) {
      this.send(encodeFrame(PONG, packet))
      return { size, count: 0 }
    }
    if (this.#route > 0) return { size, count: framesIn(packet) }
    this.#enter(packet)
    return { size, count: 0 }
  }

  #upgrade(bytes: Buffer): Taken | undefined {
    const end = bytes.indexOf(HEAD_END)
    if (end === -1) return undefined
    this.#isUpgraded = true
    return { size: end + HEAD_END.length, count: 0 }
  }

  #enter(packet: Buffer): void {
    for (const { body } of fromBinary(PacketSchema, packet).frames) {
      if (body.case === 'drop') this.entered.reject(new Error(body.value.detail))
      if (body.case !== 'room' || body.value.action.case !== 'joined') continue
      this.#route = body.value.action.value.route
      this.entered.resolve()
    }
  }
}

function framesIn(packet: Buffer): number {
  let count = 0
  for (let at = 0; at < packet.length; count++) {
    if (packet[at] !== FRAMES) throw new Error(`not a packet: ${packet.toString('hex')}`)
    let length = 0
    for (let shift = 0, byte = 0x80; byte >= 0x80; shift += 7) {
      byte = packet[++at]!
      length |= (byte & 0x7f) << shift
    }
    at += 1 + length
  }
  return count
}
