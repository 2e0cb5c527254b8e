/** mqtt-packet as the judge of what is read and written. */
import { type Packet, parser } from 'mqtt-packet'
import type { Version } from '../../../gateway/ingress/mqtt/wire/kind.ts'

/**
 * Each packet by itself: mqtt-packet reads on into the next one where a DISCONNECT is empty. Throws
 * what it does not take.
 */
export function oracle(protocolVersion: Version, bytes: Buffer): Packet[] {
  return packetsIn(bytes).map((each) => {
    const packets: Packet[] = []
    const parsing = parser({ protocolVersion })
    parsing.on('packet', (parsed) => packets.push(parsed))
    parsing.on('error', (error) => {
      throw error
    })
    if (parsing.parse(each) > 0 || packets.length !== 1) throw new Error('not one packet')
    return packets[0] as Packet
  })
}

/** The bytes of each, all of them whole. */
export function packetsIn(bytes: Buffer): Buffer[] {
  const packets: Buffer[] = []
  for (let start = 0; start < bytes.length; ) {
    let end = start + 1
    let length = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = bytes[end++] as number
      length += (byte & 0x7f) * scale
      if (byte < 0x80) break
    }
    end += length
    packets.push(bytes.subarray(start, end))
    start = end
  }
  return packets
}

/**
 * Without what mqtt-packet sets in every packet, whatever it is about, and without the order of
 * user properties, which it does not know.
 */
export function bare(each: Packet): object {
  const kept = Object.entries(unordered(each)).filter(
    ([, value]) => value !== null && value !== undefined,
  )
  const fields = Object.fromEntries(kept)
  if (each.cmd === 'publish') return fields
  const { qos: _qos, dup: _dup, retain: _retain, ...rest } = fields
  return rest
}

function unordered<Each extends object>(each: Each): Each {
  const copy = { ...each } as Each & { properties?: object; will?: object }
  if (copy.properties) {
    const { userPairs: _pairs, ...properties } = copy.properties as { userPairs?: unknown }
    copy.properties = properties
  }
  if (copy.will) copy.will = unordered(copy.will)
  return copy
}
