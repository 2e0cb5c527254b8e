/**
 * JSON (RFC 8259) that all readers understand alike, which is nearly I-JSON (RFC 7493): no name
 * twice in an object, no half surrogate pairs, no number that no double comes near.
 */
import { isUtf8 } from 'node:buffer'
import { contentInvalid, type Misfit, misfit, within } from './misfit.ts'

/** Arrays and objects within each other; the same bound holds for Protobuf messages. */
export const DEPTH_MAX = 64

const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPENING = new Set([0x5b, 0x7b])
const CLOSING = new Set([0x5d, 0x7d])

/** Throws Refusal CONTENT_INVALID. `valuesMax`: within each other, all told. */
export function parseJson(bytes: Buffer, valuesMax = Number.POSITIVE_INFINITY): unknown {
  if (!isUtf8(bytes)) throw contentInvalid(misfit('not JSON: no UTF-8'))
  const { depth, colons } = outlineOf(bytes)
  if (depth > DEPTH_MAX) throw contentInvalid(misfit(`nested over ${DEPTH_MAX} deep`))
  const value = parsed(bytes.toString('utf8'))
  const counts = { names: 0, values: 0 }
  const fault = faultIn(value, counts)
  if (fault) throw contentInvalid(fault)
  if (counts.values > valuesMax) throw contentInvalid(misfit(`over ${valuesMax} values`))
  // JSON.parse keeps the last of two: what was checked would not be what another reader sees.
  if (counts.names !== colons) throw contentInvalid(misfit('an object with one name twice'))
  return value
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw contentInvalid(misfit('not JSON'))
  }
}

/** Of what may not be JSON: how deep it goes, and its colons outside of strings. */
function outlineOf(bytes: Buffer): { depth: number; colons: number } {
  let depth = 0
  let deepest = 0
  let colons = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    if (byte === QUOTE) i = endOfString(bytes, i)
    else if (byte === COLON) colons++
    else if (OPENING.has(byte)) deepest = Math.max(deepest, ++depth)
    else if (CLOSING.has(byte)) depth--
  }
  return { depth: deepest, colons }
}

/** Of its closing quote. */
function endOfString(bytes: Buffer, start: number): number {
  let i = start + 1
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1
  return i
}

interface Counts {
  names: number
  values: number
}

function faultIn(value: unknown, counts: Counts): Misfit | undefined {
  counts.values++
  if (typeof value === 'string') {
    return value.isWellFormed() ? undefined : misfit('a string with half a surrogate pair')
  }
  if (typeof value === 'number') {
    return Number.isFinite(value) ? undefined : misfit('a number beyond all doubles')
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const fault = faultIn(item, counts)
      if (fault) return within(index, fault)
    }
  } else if (isObject(value)) {
    for (const name of Object.keys(value)) {
      counts.names++
      const fault = name.isWellFormed()
        ? faultIn(value[name], counts)
        : misfit('a name with half a surrogate pair')
      if (fault) return within(name, fault)
    }
  }
  return undefined
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
