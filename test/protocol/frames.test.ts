/** The golden frames, as TypeScript's codec and the gateway's own scanners take them. */
import { fromBinary, fromJson, toBinary, toJson } from '@bufbuild/protobuf'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { packetOfJson } from '../../gateway/ingress/packet-json.ts'
import { CODES } from '../../gateway/protocol/codes.ts'
import { bytesOf, goldenFrames } from '../support/golden-frames.ts'
import { defaultLimits, framesTaken, refusalOf } from '../support/taken.ts'

const goldens = goldenFrames()
const readable = goldens.filter(([, golden]) => golden.packet !== undefined)
const refused = goldens.filter(([, golden]) => golden.refused !== undefined)

describe('a golden frame', () => {
  test.each(readable)('%s is read and written as told', (_name, golden) => {
    const packet = fromBinary(PacketSchema, bytesOf(golden))
    expect(toJson(PacketSchema, packet)).toEqual(golden.packet)
    if (golden.decodeOnly) return
    const written = toBinary(PacketSchema, fromJson(PacketSchema, golden.packet ?? {}))
    expect(Buffer.from(written).toString('hex')).toBe(golden.hex)
  })

  const fromClients = readable.filter(([, { from, refused }]) => from !== 'gateway' && !refused)
  test.each(fromClients)('%s is taken from a client', (_name, golden) => {
    expect(framesTaken(bytesOf(golden))).toBe(golden.packet?.frames?.length ?? 0)
  })

  test('joined to another is the packet of the frames of both [PH-2.2]', () => {
    const small = readable.map(([, golden]) => golden).filter((it) => bytesOf(it).length < 1000)
    const any = fc.constantFrom(...small)
    fc.assert(
      fc.property(fc.array(any, { maxLength: 4 }), (some) => {
        const joined = fromBinary(PacketSchema, Buffer.concat(some.map(bytesOf)))
        const frames = some.flatMap(({ packet }) => packet?.frames ?? [])
        expect(toJson(PacketSchema, joined)).toEqual(frames.length > 0 ? { frames } : {})
      }),
    )
  })
})

describe('refused bytes', () => {
  const binary = refused.filter(([, { hex }]) => hex !== undefined)
  const scanned = binary.filter(([, golden]) => golden.refused !== 'FRAME_NOT_ALLOWED')
  test.each(scanned)('%s', (_name, golden) => {
    const limits = { ...defaultLimits, ...golden.limits }
    expect(refusalOf(() => framesTaken(bytesOf(golden), limits))).toBe(golden.refused)
  })

  test('name codes of the table', () => {
    const names = CODES.map((info) => info.name)
    for (const [, golden] of refused) expect(names).toContain(golden.refused)
  })
})

describe('a golden text [PH-12.1]', () => {
  const texts = goldens.filter(([, { json }]) => json !== undefined)

  test.each(texts.filter(([, golden]) => golden.packet))('%s stands for its bytes', (_, golden) => {
    expect(packetOfJson(golden.json as string).toString('hex')).toBe(golden.hex)
  })

  test.each(texts.filter(([, golden]) => golden.refused))('%s [PH-12.4]', (_, golden) => {
    expect(refusalOf(() => packetOfJson(golden.json as string))).toBe(golden.refused)
  })
})
