/** Packets that differ from golden ones in a few bytes, and texts in a few letters. */
import fc from 'fast-check'

type Change = (bytes: Buffer) => Buffer

const bytesOf = (maxLength: number) => fc.uint8Array({ minLength: 1, maxLength })

/** What decoders are known to differ about: long varints, other wire types, groups, repetitions. */
const awkward = fc.constantFrom(
  ...['00', '01', '7f', '80', 'ff', '8000', 'ff'.repeat(9), '80'.repeat(9), `${'ff'.repeat(5)}0f`],
  ...['0a', '0b', '0c', '0d', '09', '08', '0801', '0a00', '1a00', '2a00', '3200', '12', '22', '62'],
)

const insert = fc
  .tuple(
    fc.nat(),
    fc.oneof(
      bytesOf(4),
      awkward.map((hex) => Buffer.from(hex, 'hex')),
    ),
  )
  .map(
    ([at, added]): Change =>
      (bytes) =>
        spliced(bytes, at, 0, added),
  )
const replace = fc.tuple(fc.nat(), fc.nat(255)).map(
  ([at, value]): Change =>
    (bytes) =>
      spliced(bytes, at, 1, Uint8Array.of(value)),
)
const flip = fc.tuple(fc.nat(), fc.nat(7)).map(
  ([at, bit]): Change =>
    (bytes) => {
      const place = at % Math.max(bytes.length, 1)
      return spliced(bytes, place, 1, Uint8Array.of((bytes[place] ?? 0) ^ (1 << bit)))
    },
)
const remove = fc.tuple(fc.nat(), fc.nat(3)).map(
  ([at, count]): Change =>
    (bytes) =>
      spliced(bytes, at, count + 1, new Uint8Array()),
)
const repeat = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 12 })).map(
  ([at, count]): Change =>
    (bytes) => {
      const from = at % Math.max(bytes.length, 1)
      return spliced(bytes, from, 0, bytes.subarray(from, from + count))
    },
)

/** Of so many packets, each changed in one to three places; the same ones for the same seed. */
export function mutated(packets: readonly Buffer[], count: number, seed: number): Buffer[] {
  const change = fc.oneof(insert, replace, flip, remove, repeat)
  const changed = fc
    .tuple(fc.constantFrom(...packets), fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([packet, changes]) => changes.reduce((bytes, each) => each(bytes), packet))
  return fc.sample(changed, { numRuns: count, seed })
}

const piece = fc.constantFrom(
  ...['"', '{', '}', '[', ']', ',', ':', '"a"', '{}', '[]', ' ', '\\', '\\u0000', '\\ud800'],
  ...['null', 'true', '0', '1', '-1', '"id":1,', '"frames":', '99999', '1e3', '0.5'],
)

/** The same of texts. */
export function mutatedTexts(texts: readonly string[], count: number, seed: number): string[] {
  const change = fc.tuple(fc.nat(), fc.nat(4), piece)
  const changed = fc
    .tuple(fc.constantFrom(...texts), fc.array(change, { minLength: 1, maxLength: 2 }))
    .map(([text, changes]) =>
      changes.reduce((old, [at, cut, added]) => {
        const from = at % (old.length + 1)
        return old.slice(0, from) + added + old.slice(from + cut)
      }, text),
    )
  return fc.sample(changed, { numRuns: count, seed })
}

function spliced(bytes: Buffer, at: number, count: number, added: Uint8Array): Buffer {
  const from = at % (bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, from), added, bytes.subarray(from + count)])
}
