import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fromBinary, fromJson, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf'
import { FrameSchema, PacketSchema } from '@porthouse/proto/v1/frame'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CODES, codeInfo, Refusal } from '../../gateway/protocol/codes.ts'
import type { Limits } from '../../gateway/protocol/limits.ts'
import { scanEnvelope } from '../../gateway/protocol/scan-envelope.ts'
import { FrameKind, type ScannedFrame, scanPacket } from '../../gateway/protocol/scan-packet.ts'

interface Golden {
  readonly description: string
  readonly from: 'client' | 'gateway' | 'both'
  readonly packet?: { readonly frames?: readonly JsonValue[] }
  readonly hex: string
  readonly decodeOnly?: true
  readonly refused?: string
  readonly limits?: Partial<Limits>
}

const LIMITS: Limits = {
  packetBytes: 1_048_576,
  packetFrames: 1024,
  frameBytes: 524_288,
  payloadBytes: 262_144,
  headersBytes: 8192,
  headers: 64,
  destinations: 64,
  rooms: 1024,
  subscriptions: 1024,
}

const root = fileURLToPath(new URL('../../conformance/frames', import.meta.url))
const goldens = globSync('**/*.json', { cwd: root })
  .toSorted()
  .map((file): [string, Golden] => [
    relative('.', file).replace(/\.json$/, ''),
    JSON.parse(readFileSync(`${root}/${file}`, 'utf8')),
  ])
const readable = goldens.filter(([, golden]) => golden.packet !== undefined)
const refused = goldens.filter(([, golden]) => golden.refused !== undefined)

const bytesOf = (golden: Golden) => Buffer.from(golden.hex, 'hex')

/** What a gateway does with bytes from a client, up to the frames' handlers. */
function scan(bytes: Buffer, limits: Limits): number {
  let frames = 0
  const visit = (frame: ScannedFrame) => {
    frames++
    if (frame.kind === FrameKind.ENVELOPE) scanEnvelope(bytes, frame.start, frame.end, limits)
    return true
  }
  scanPacket(bytes, 0, bytes.length, limits, visit, undefined)
  return frames
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return codeInfo(error.code).name
    throw error
  }
}

describe('a golden frame', () => {
  test.each(readable)('%s is read and written as told', (_name, golden) => {
    const packet = fromBinary(PacketSchema, bytesOf(golden))
    expect(toJson(PacketSchema, packet)).toEqual(golden.packet)
    if (golden.decodeOnly) return
    const written = toBinary(PacketSchema, fromJson(PacketSchema, golden.packet as JsonValue))
    expect(Buffer.from(written).toString('hex')).toBe(golden.hex)
  })

  const fromClients = readable.filter(([, { from, refused }]) => from !== 'gateway' && !refused)
  test.each(fromClients)('%s is taken from a client', (_name, golden) => {
    expect(scan(bytesOf(golden), LIMITS)).toBe(golden.packet?.frames?.length ?? 0)
  })

  test('joined to another is the packet of the frames of both [PH-2.2]', () => {
    const any = fc.constantFrom(...readable.map(([, golden]) => golden))
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
  const scanned = refused.filter(([, golden]) => golden.refused !== 'FRAME_NOT_ALLOWED')
  test.each(scanned)('%s', (_name, golden) => {
    const limits = { ...LIMITS, ...golden.limits }
    expect(codeOf(() => scan(bytesOf(golden), limits))).toBe(golden.refused)
  })
})

describe('the golden frames', () => {
  test('cover every body of a frame, and each code in a Drop', () => {
    const text = JSON.stringify(readable.map(([, { packet }]) => packet))
    for (const { jsonName } of FrameSchema.fields) expect(text).toContain(`"${jsonName}":`)
    const names = new Set(
      goldens.filter(([name]) => dirname(name) === 'drop').map(([name]) => basename(name)),
    )
    for (const { name } of CODES) {
      expect(names).toContain(`code-${name.toLowerCase().replaceAll('_', '-')}`)
    }
  })

  test('name codes of the table', () => {
    const names = CODES.map((info) => info.name)
    for (const [, golden] of refused) expect(names).toContain(golden.refused)
  })
})
