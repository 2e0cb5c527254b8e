/** What does not fit, where in the content and why, in words for whoever sent it (R20). */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'

export interface Misfit {
  /** Names and positions from the content down to the place, the innermost first. */
  readonly path: (string | number)[]
  /** Said by the room's config alone, never of the content. */
  readonly reason: string
}

/** Of a path, in bytes, and of one name in it, in characters: all that is shown of the content. */
const PATH_BYTES_MAX = 128
const NAME_MAX = 32

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

/** In at most 256 bytes, whatever was sent. The place is a JSON Pointer (RFC 6901). */
export function contentInvalid({ path, reason }: Misfit): Refusal {
  const pointer = pointerTo(path.toReversed())
  return new Refusal(Code.CONTENT_INVALID, pointer === '' ? reason : `${pointer}: ${reason}`)
}

function pointerTo(path: readonly (string | number)[]): string {
  let pointer = ''
  for (const key of path) {
    const name = shown(String(key)).replaceAll('~', '~0').replaceAll('/', '~1')
    if (Buffer.byteLength(pointer) + Buffer.byteLength(name) >= PATH_BYTES_MAX) return `${pointer}/…`
    pointer += `/${name}`
  }
  return pointer
}

/** A name as it may be shown: short, and without what is not seen. */
export function shown(name: string): string {
  const characters = [...name.slice(0, 2 * NAME_MAX)].slice(0, NAME_MAX).join('')
  const cut = characters.length < name.length ? `${characters}…` : characters
  return cut.replace(UNSHOWN, '?')
}
