/** Packets of a client, byte by byte, right or wrong. */
import { generate, type Packet } from 'mqtt-packet'
import type { Version } from '../../../gateway/ingress/mqtt/wire/kind.ts'
import { PacketReader } from '../../../gateway/ingress/mqtt/wire/reader.ts'

export const VERSIONS = [3, 4, 5] as const

/** As hexadecimal text, its length before it. */
export function text(value: string | Buffer): string {
  const bytes = Buffer.from(value as string)
  return number(bytes.length) + bytes.toString('hex')
}

/** Two bytes. */
export function number(value: number): string {
  return value.toString(16).padStart(4, '0')
}

/** What stands in one or more of hexadecimal text, with its size before it. */
export function properties(...parts: string[]): string {
  const hex = parts.join('').replaceAll(' ', '')
  return varint(hex.length / 2).toString('hex') + hex
}

/** A packet of a first byte and, as hexadecimal text, all that follows its remaining length. */
export function packet(first: number, ...body: string[]): Buffer {
  const bytes = Buffer.from(body.join('').replaceAll(' ', ''), 'hex')
  return Buffer.concat([Buffer.from([first]), varint(bytes.length), bytes])
}

export function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let left = value; bytes.length === 0 || left > 0; left = Math.floor(left / 128)) {
    bytes.push((left % 128) | (left >= 128 ? 0x80 : 0))
  }
  return Buffer.from(bytes)
}

/** A CONNECT of a version, for whatever comes behind. */
export function connect(protocolVersion: Version): Buffer {
  const protocolId = protocolVersion === 3 ? 'MQIsdp' : 'MQTT'
  return generate({ cmd: 'connect', protocolId, protocolVersion, clientId: 'device' })
}

export interface Reading {
  readonly reader: PacketReader
  readonly packets: Packet[]
}

/** A reader that has had a CONNECT of the version, if there is one. */
export function reading(version?: Version, bytesMax = 1 << 20): Reading {
  const packets: Packet[] = []
  const reader = new PacketReader({
    bytesMax: () => bytesMax,
    onPacket: (packet) => packets.push(packet),
  })
  if (version) {
    reader.read(connect(version))
    packets.length = 0
  }
  return { reader, packets }
}

/** What one read of a connected client gives. */
export function readAll(version: Version, bytes: Buffer): Packet[] {
  const { reader, packets } = reading(version)
  reader.read(bytes)
  return packets
}
