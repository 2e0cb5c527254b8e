/** The golden frames, as the codecs of other languages read and write them. */
import { type DescMessage, fromBinary, toJson } from '@bufbuild/protobuf'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import { beforeAll, describe, expect, test } from 'vitest'
import { packetOfJson } from '../../../gateway/ingress/packet-json.ts'
import { bytesOf, type GoldenFrame, goldenFrames, releases } from '../../support/golden-frames.ts'
import { framesTaken, refusalOf } from '../../support/taken.ts'
import { BUILD_MS, buildC, buildGo, type Codec } from './codecs.ts'
import { inOrder } from './in-order.ts'
import { IRREGULAR, irregularity } from './irregular.ts'
import { mutated, mutatedTexts } from './mutated.ts'

const CHANGED = 20_000

const goldens = goldenFrames()
const binary = goldens.filter(([, { hex, packet }]) => hex !== undefined && packet)
const exact = binary.filter(([, { decodeOnly, json }]) => !decodeOnly && json === undefined)
const old = releases().flatMap(({ version, frames }) =>
  frames.map(([name, golden]): [string, GoldenFrame] => [`${version} ${name}`, golden]),
)
const texts = goldens.filter(([, { json }]) => json !== undefined)

/** Those that a language writes otherwise, and why that is no fault. */
const WRITTEN_OTHERWISE: Record<'Go' | 'C', readonly string[]> = {
  // Of the many doubles that are no number it has another.
  Go: ['numbers/rate-not-a-number'],
  // An entry of a map is a message like others: what is empty is absent.
  C: ['empty/envelope-header', 'empty/verdict-value', 'envelope/headers'],
}

let codecs: Record<'Go' | 'C', Codec>
beforeAll(async () => {
  const [Go, C] = await Promise.all([buildGo(), buildC()])
  codecs = { Go, C }
}, BUILD_MS)

describe.each(['Go', 'C'] as const)('%s', (language) => {
  test('reads each golden frame as the same text, also those of releases', async () => {
    const all = [...binary, ...old]
    const read = await codecs[language].decode(all.map(([, { hex = '' }]) => hex))
    for (const [i, [name, golden]] of all.entries()) expect(read[i], name).toEqual(golden.packet)
  })

  test('writes each as the same bytes, its fields in the order of their numbers', async () => {
    const written = await codecs[language].encode(exact.map(([, golden]) => formsOf(golden)))
    const inTheirOrder = written.map((hex = '') => {
      return Buffer.from(inOrder(PacketSchema, Buffer.from(hex, 'hex'))).toString('hex')
    })
    const otherwise = exact.filter(([, { hex }], i) => inTheirOrder[i] !== hex)
    expect(otherwise.map(([name]) => name)).toEqual(WRITTEN_OTHERWISE[language])
  })

  test('writes what means the same, where the bytes are for reading alone', async () => {
    const written = await codecs[language].encode(binary.map(([, golden]) => formsOf(golden)))
    for (const [i, [name, golden]] of binary.entries()) {
      const packet = fromBinary(PacketSchema, Buffer.from(written[i] ?? '', 'hex'))
      expect(toJson(PacketSchema, packet), name).toEqual(golden.packet)
    }
  })
})

test('Go reads each text as the same bytes, and refuses the same [PH-12.1]', async () => {
  const written = await codecs.Go.encode(
    texts.map(([, { json = '' }]) => ({ hex: '', text: json })),
  )
  for (const [i, [name, { hex }]] of texts.entries()) expect(written[i], name).toBe(hex)
})

describe('of golden frames with a few bytes changed', () => {
  const small = goldens.map(([, golden]) => bytesOf(golden)).filter(({ length }) => length < 600)
  const changed = mutated(small, CHANGED, Math.trunc(Math.random() * 2 ** 31))
  const seen = changed.map((bytes) => {
    return { bytes, hex: bytes.toString('hex'), irregular: irregularity(PacketSchema, bytes) }
  })

  test('those without an irregularity are read by all languages, as the same text', async () => {
    const regular = seen.filter(({ irregular }) => irregular === undefined)
    const [go, c] = await Promise.all([
      codecs.Go.decode(regular.map(({ hex }) => hex)),
      codecs.C.decode(regular.map(({ hex }) => hex)),
    ])
    for (const [i, { bytes, hex }] of regular.entries()) {
      const packet = toJson(PacketSchema, fromBinary(PacketSchema, bytes))
      expect(go[i], hex).toEqual(packet)
      expect(c[i], hex).toEqual(packet)
    }
    expect(regular.length).toBeGreaterThan(100)
  })

  test('the others are refused by a gateway where it passes them on [PH-2.6]', () => {
    const isRead = ({ name }: DescMessage) => !['Frame', 'Envelope', 'Routing'].includes(name)
    const taken = seen.filter(({ bytes }) => !refusalOf(() => framesTaken(bytes)))
    const poison = taken.filter(({ bytes }) => irregularity(PacketSchema, bytes, isRead))
    expect(poison.map(({ hex }) => hex)).toEqual([])
  })

  test('they end no decoder, and have each irregularity that is told of', async () => {
    const hexes = seen.map(({ hex }) => hex)
    const answers = await Promise.all([codecs.Go.decode(hexes), codecs.C.decode(hexes)])
    for (const each of answers) expect(each.length).toBe(hexes.length)
    const found = new Set(seen.map(({ irregular }) => irregular))
    for (const name of Object.keys(IRREGULAR)) expect(found).toContain(name)
  })
})

describe('of golden texts with a few letters changed', () => {
  const short = goldens
    .map(([, { json, packet }]) => json ?? JSON.stringify(packet ?? {}))
    .filter(({ length }) => length < 600)
  const changed = mutatedTexts(short, CHANGED / 4, Math.trunc(Math.random() * 2 ** 31))

  test('what a gateway takes is a packet, and the same as Go takes [PH-12.4]', async () => {
    const go = await codecs.Go.encode(changed.map((each) => ({ hex: '', text: each })))
    for (const [i, each] of changed.entries()) {
      let packet: Buffer | undefined
      const refusal = refusalOf(() => {
        packet = packetOfJson(each)
      })
      if (!packet) expect(refusal, each).toBe('MALFORMED_PACKET')
      else if (go[i]) expect(sayOf(packet), each).toEqual(sayOf(Buffer.from(go[i], 'hex')))
    }
  })
})

function sayOf(packet: Buffer) {
  return toJson(PacketSchema, fromBinary(PacketSchema, packet))
}

function formsOf(golden: GoldenFrame) {
  return { hex: bytesOf(golden).toString('hex'), text: textOf(golden.packet) }
}

/** As JSON.stringify, but for the sign of a zero. */
function textOf(value: unknown): string {
  const marked = JSON.stringify(value, (_, inner) => (Object.is(inner, -0) ? '-0' : inner))
  return marked.replaceAll('"-0"', '-0')
}
