/** A page of a list: bounded in number and in bytes, ordered by address. */

/** Entries of one page. */
export const PAGE_MAX = 256

/** One page, so that a short question does not have a long answer; one entry at least is given. */
const PAGE_BYTES_MAX = 65_536

/** What a page may have. */
export interface PageBounds {
  readonly entries: number
  readonly bytes: number
}

const COMMANDS: PageBounds = { entries: PAGE_MAX, bytes: PAGE_BYTES_MAX }

export interface Page<T> {
  readonly entries: T[]
  /** There are others after the last of these. */
  readonly more: boolean
}

/** Those after an address, of entries in any order, each at an address of its own. */
export function pageOf<From, To>(
  all: Iterable<From>,
  after: string,
  by: {
    readonly address: (entry: From) => string
    readonly read: (entry: From) => To
    readonly bytes: (read: To) => number
  },
  most = COMMANDS,
): Page<To> {
  const first = lowest(all, after, by.address, most.entries)
  const entries: To[] = []
  let bytes = 0
  for (const { entry } of first) {
    const read = by.read(entry)
    bytes += by.bytes(read)
    const full = entries.length === most.entries || bytes > most.bytes
    if (full && entries.length > 0) return { entries, more: true }
    entries.push(read)
  }
  return { entries, more: false }
}

/** The lowest after an address, one more than a page: of many, most are only looked at. */
function lowest<From>(
  all: Iterable<From>,
  after: string,
  addressOf: (entry: From) => string,
  most: number,
) {
  const found: { address: string; entry: From }[] = []
  for (const entry of all) {
    const address = addressOf(entry)
    if (compare(address, after) <= 0) continue
    const last = found[most]
    if (last && compare(address, last.address) >= 0) continue
    found.splice(positionOf(found, address), 0, { address, entry })
    if (found.length > most + 1) found.pop()
  }
  return found
}

function positionOf(sorted: readonly { address: string }[], address: string): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(sorted[middle]?.address as string, address) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** In the order of their UTF-8 bytes, which is that of code points. */
function compare(a: string, b: string): number {
  if (a === b) return 0
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Surrogates stand for what comes after all other units. */
function rank(unit: number): number {
  const isSurrogate = unit >= 0xd800 && unit < 0xe000
  return isSurrogate ? unit + 0x10000 : unit
}
