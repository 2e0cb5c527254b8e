/**
 * Packets that are few, parsed by mqtt-packet once their bytes have been checked. One parser a
 * version serves all connections, which is safe because it sees one whole packet a call, and hands
 * it out before the call ends.
 */
import { type Packet, type Parser, parser } from 'mqtt-packet'
import type { Version } from './kind.ts'
import { malformed } from './mqtt-error.ts'

interface Parsing {
  readonly parser: Parser
  packet: Packet | undefined
}

const shared = new Map<Version, Parsing>()

/**
 * Parses a whole packet, its fixed header included. Its Buffers are views of `bytes`. Throws
 * MqttError 0x81 for whatever mqtt-packet does not take.
 */
export function parse(bytes: Buffer, version: Version): Packet {
  const parsing = shared.get(version) ?? newParsing(version)
  // Set aside meanwhile: one that fails is not used again.
  shared.delete(version)
  const packet = parseBy(parsing, bytes)
  shared.set(version, parsing)
  return packet
}

/** CONNECT, by a parser of its own: a parser keeps it, and a password with it. */
export function parseConnect(bytes: Buffer, version: Version): Packet {
  return parseBy(newParsing(version), bytes)
}

function newParsing(protocolVersion: Version): Parsing {
  const parsing: Parsing = { parser: parser({ protocolVersion }), packet: undefined }
  parsing.parser.on('packet', (packet) => {
    parsing.packet = packet
  })
  // It is seen by there being no packet; without a listener it would be thrown.
  parsing.parser.on('error', () => undefined)
  return parsing
}

function parseBy(parsing: Parsing, bytes: Buffer): Packet {
  let left = bytes.length
  try {
    left = parsing.parser.parse(bytes)
  } catch {
    throw malformed('a packet that cannot be parsed')
  }
  const { packet } = parsing
  parsing.packet = undefined
  if (!packet || left > 0) throw malformed('a packet that cannot be parsed')
  return packet
}
