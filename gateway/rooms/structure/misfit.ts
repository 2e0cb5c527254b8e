/** What does not fit, where in the content and why, in words for whoever sent it (R20). */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'

export interface Misfit {
  /** Names and positions from the content down to the place, the innermost first. */
  readonly path: (string | number)[]
  /** Said by the room's config alone, never of the content. */
  readonly reason: string
}

/** In bytes: of a path, of one name in it, and of a reason. Names are all that is shown. */
const PATH_BYTES_MAX = 120
const NAME_BYTES_MAX = 40
const REASON_BYTES_MAX = 120

/** What could end a line, hide or turn the text around it; and halves of surrogate pairs. */
const UNSHOWN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

export function misfit(reason: string): Misfit {
  return { path: [], reason }
}

/** The same, one level further out. */
export function within(key: string | number, inner: Misfit): Misfit {
  inner.path.push(key)
  return inner
}

/** CONTENT_INVALID, in parts. */
export class ContentInvalid extends Refusal {
  /** JSON Pointer (RFC 6901); empty: the content as a whole. */
  readonly pointer: string
  readonly reason: string

  constructor(pointer: string, reason: string) {
    super(Code.CONTENT_INVALID, pointer === '' ? reason : `${pointer}: ${reason}`)
    this.pointer = pointer
    this.reason = reason
  }
}

/** In at most 256 bytes, whatever was sent. */
export function contentInvalid({ path, reason }: Misfit): ContentInvalid {
  return new ContentInvalid(pointerTo(path.toReversed()), shown(reason, REASON_BYTES_MAX))
}

function pointerTo(path: readonly (string | number)[]): string {
  let pointer = ''
  for (const key of path) {
    const next = `${pointer}/${escaped(shown(String(key)))}`
    if (Buffer.byteLength(next) > PATH_BYTES_MAX) return `${pointer}/…`
    pointer = next
  }
  return pointer
}

/** A name as a part of a JSON Pointer. */
export function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** The name that a part of a JSON Pointer is. */
export function unescaped(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** A text as it may be shown: short, and without what is not seen. */
export function shown(text: string, bytesMax = NAME_BYTES_MAX): string {
  let cut = ''
  for (const character of text) {
    if (Buffer.byteLength(cut) + Buffer.byteLength(character) > bytesMax) {
      return `${cut.replace(UNSHOWN, '?')}…`
    }
    cut += character
  }
  return cut.replace(UNSHOWN, '?')
}
