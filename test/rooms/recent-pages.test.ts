/** Pages that many ask for at about the same time are read once. */
import { afterEach, expect, test, vi } from 'vitest'
import { Page } from '../../gateway/rooms/history/page.ts'
import { RecentPages } from '../../gateway/rooms/history/recent-pages.ts'
import type { OwnMessage } from '../../gateway/router/intake.ts'
import type { Place } from '../../gateway/router/place.ts'

const LIMIT = 2

function pageOf(messages: number, more = false): Page {
  const each = {} as OwnMessage
  return new Page({} as Place, Array(messages).fill(each), { through: messages, more })
}

/** Reads of a store that has this page. */
function reader(page: Page) {
  return vi.fn(() => Promise.resolve(page))
}

afterEach(() => void vi.useRealTimers())

test('a page is read once for all who ask while it is read', async () => {
  const pages = new RecentPages()
  const read = reader(pageOf(0))
  const both = [pages.get('a', LIMIT, read), pages.get('a', LIMIT, read)]
  expect(await both[0]).toBe(await both[1])
  expect(read).toHaveBeenCalledTimes(1)
})

test.each([
  ['a full one', pageOf(LIMIT), 1],
  ['one that more follows', pageOf(1, true), 1],
  ['the last one, which may grow', pageOf(1), 2],
  ['one that found nothing', pageOf(0, true), 2],
])('%s that was read before', async (_, page, reads) => {
  const pages = new RecentPages()
  const read = reader(page)
  await pages.get('a', LIMIT, read)
  await pages.get('a', LIMIT, read)
  expect(read).toHaveBeenCalledTimes(reads)
})

test('it is kept for a second', async () => {
  vi.useFakeTimers()
  const pages = new RecentPages()
  const read = reader(pageOf(LIMIT))
  await pages.get('a', LIMIT, read)
  vi.advanceTimersByTime(1_000)
  await pages.get('a', LIMIT, read)
  expect(read).toHaveBeenCalledTimes(2)
})

test('what could not be read is read again', async () => {
  const pages = new RecentPages()
  await expect(pages.get('a', LIMIT, () => Promise.reject(new Error('away')))).rejects.toThrow()
  expect(await pages.get('a', LIMIT, reader(pageOf(LIMIT)))).toMatchObject({ through: LIMIT })
})

test('no more than 64 are kept, the newest', async () => {
  const pages = new RecentPages()
  const read = reader(pageOf(LIMIT))
  for (let n = 0; n <= 64; n++) await pages.get(String(n), LIMIT, read)
  await pages.get('64', LIMIT, read)
  await pages.get('1', LIMIT, read)
  expect(read).toHaveBeenCalledTimes(65)
  await pages.get('0', LIMIT, read)
  expect(read).toHaveBeenCalledTimes(66)
})
