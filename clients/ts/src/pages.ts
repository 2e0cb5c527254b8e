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
    if (next === undefined || next === after) {
      throw new PorthouseError('FRAME_NOT_ALLOWED', { detail: 'A page that leads nowhere' })
    }
    after = next
  }
}
