import { PorthouseError } from './error.ts'

/** Items of a list that is asked for a page at a time; `after` is the key of the last one. */
export async function* pages<T>(
  page: (after: string) => Promise<{ items: T[]; more: boolean }>,
  key: (item: T) => string,
): AsyncGenerator<T, void> {
  let after = ''
  for (;;) {
    const { items, more } = await page(after)
    yield* items
    const last = items.at(-1)
    if (!more) return
    const next = last && key(last)
    if (next === undefined || !isAfter(next, after)) throw leadsNowhere()
    after = next
  }
}

/** Of a gateway that would be asked for the same on and on. */
export function leadsNowhere(): PorthouseError {
  return new PorthouseError('FRAME_NOT_ALLOWED', { detail: 'A page that leads nowhere' })
}

/** In the order of code points, which is the gateway's. */
function isAfter(one: string, other: string): boolean {
  let at = 0
  while (at < one.length && one[at] === other[at]) at++
  return (one.codePointAt(at) ?? -1) > (other.codePointAt(at) ?? -1)
}
