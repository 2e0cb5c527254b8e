/**
 * UTF-8 of names that are kept as long as a socket is open, one behind the other: in Node's pool
 * each would keep whatever else was written there (G10).
 */

const SLAB_BYTES = 8_192
let slab = Buffer.alloc(0)
let slabEnd = 0

export function nameBytes(name: string): Buffer {
  const size = Buffer.byteLength(name)
  if (slabEnd + size > slab.length) {
    slab = Buffer.allocUnsafeSlow(Math.max(size, SLAB_BYTES))
    slabEnd = 0
  }
  const start = slabEnd
  slabEnd += slab.write(name, start)
  return slab.subarray(start, slabEnd)
}
