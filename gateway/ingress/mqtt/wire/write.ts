/** Packets of the gateway to bytes, by mqtt-packet; acknowledgements, which are many, by hand. */
import { generate, type Packet, writeToStream } from 'mqtt-packet'
import type { Version } from './kind.ts'
import type { Ack } from './publish.ts'

// Else it keeps eight megabytes of two-byte Buffers, one for each number there is.
writeToStream.cacheNumbers = false

/** The first byte of each acknowledgement. */
const FIRST: Readonly<Record<Ack, number>> = {
  puback: 0x40,
  pubrec: 0x50,
  pubrel: 0x62,
  pubcomp: 0x70,
}

const PINGRESP = Buffer.from([0xd0, 0x00])

/** What may be left out of an answer that is too large for the client, in this order. */
const SPARE = ['userProperties', 'reasonString'] as const

/**
 * Of all that a server sends, whose strings and Buffers are at most 65,535 bytes each. Properties
 * are of MQTT 5 alone: others get the packet without them.
 */
export function encode(packet: Packet, version: Version): Buffer {
  const properties = version === 5 && 'properties' in packet ? packet.properties : undefined
  switch (packet.cmd) {
    case 'pingresp':
      return PINGRESP
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      if (properties) break
      return encodeAck(packet.cmd, packet.messageId as number, packet.reasonCode ?? 0, version)
  }
  // mqtt-packet writes nothing at all where there are user properties and yet none.
  const empty = properties?.userProperties && !hasKeys(properties.userProperties)
  const whole = empty ? without(packet, 'userProperties') : packet
  return generate(whole, { protocolVersion: version })
}

/**
 * As encode, for a client that takes packets of `bytesMax`: an answer that would be larger goes
 * without user properties and reason [MQTT-3.2.2-19] [MQTT-3.2.2-20], a message stays whole.
 * Undefined if it is larger even so, and must not be sent [MQTT-3.1.2-24].
 */
export function encodeWithin(
  packet: Packet,
  version: Version,
  bytesMax: number,
): Buffer | undefined {
  const spare = packet.cmd === 'publish' ? [] : SPARE
  let smaller = packet
  let bytes = encode(smaller, version)
  for (const name of spare) {
    if (bytes.length <= bytesMax) break
    smaller = without(smaller, name)
    bytes = encode(smaller, version)
  }
  return bytes.length <= bytesMax ? bytes : undefined
}

/** An acknowledgement without properties; before MQTT 5 without the reason, too. */
export function encodeAck(cmd: Ack, messageId: number, reason: number, version: Version): Buffer {
  const size = reason === 0 || version < 5 ? 4 : 5
  const bytes = Buffer.allocUnsafe(size)
  bytes[0] = FIRST[cmd]
  bytes[1] = size - 2
  bytes[2] = messageId >> 8
  bytes[3] = messageId & 0xff
  if (size === 5) bytes[4] = reason
  return bytes
}

function hasKeys(properties: object): boolean {
  return Object.keys(properties).length > 0
}

function without(packet: Packet, name: (typeof SPARE)[number]): Packet {
  if (!('properties' in packet) || !packet.properties) return packet
  return { ...packet, properties: { ...packet.properties, [name]: undefined } } as Packet
}
