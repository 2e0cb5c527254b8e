/** Bytes that began as good ones, with some of them changed, cut out, doubled or joined. */
import fc from 'fast-check'

type Change = (bytes: Uint8Array) => Uint8Array

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const at = (bytes: Uint8Array, part: number) => Math.floor(part * bytes.length)

export function changedBytes(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const seed = fc.constantFrom(...seeds)
  const more = fc.oneof(fc.uint8Array({ maxLength: 12 }), seed)
  /** What is from the one place to the other is replaced. */
  const replaced = fc.tuple(place, place, more).map(([from, to, by]): Change => {
    return (bytes) =>
      Buffer.concat([bytes.subarray(0, at(bytes, from)), by, bytes.subarray(at(bytes, to))])
  })
  const turned = fc.tuple(place, fc.nat(255)).map(([part, value]): Change => {
    return (bytes) => bytes.map((byte, index) => (index === at(bytes, part) ? value : byte))
  })
  return fc
    .tuple(seed, fc.array(fc.oneof(replaced, turned), { maxLength: 4 }))
    .map(([bytes, changes]) => changes.reduce((before, change) => change(before), bytes))
}
