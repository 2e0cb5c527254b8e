/** The headers of an envelope that was scanned, for whoever looks at one of them. */
import { Reader } from './reader.ts'
import type { ScannedEnvelope } from './scan-envelope.ts'

const HEADERS = 5

/** In their order; of one that is given twice the last counts. */
export function* headersIn(
  envelope: Pick<ScannedEnvelope, 'bytes' | 'start' | 'end'>,
): Iterable<readonly [name: string, value: string]> {
  const reader = new Reader(envelope.bytes, envelope.start, envelope.end)
  while (reader.pos < envelope.end) {
    const tag = reader.uint32()
    if (tag >>> 3 === HEADERS) yield header(reader)
    else reader.skip(tag & 7)
  }
}

function header(outer: Reader): readonly [name: string, value: string] {
  const end = outer.lengthEnd()
  const reader = new Reader(outer.bytes, outer.pos, end)
  const texts = ['', '']
  while (reader.pos < end) {
    const tag = reader.uint32()
    const field = tag >>> 3
    if (field === 1 || field === 2) {
      const textEnd = reader.lengthEnd()
      texts[field - 1] = reader.bytes.toString('utf8', reader.pos, textEnd)
      reader.pos = textEnd
    } else reader.skip(tag & 7)
  }
  outer.pos = end
  return [texts[0] as string, texts[1] as string]
}
