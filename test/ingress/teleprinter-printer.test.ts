/** How a teleprinter prints at a pace (R17). */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Printer } from '../../gateway/ingress/websocket/teleprinter/printer.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function printer(pace: number | undefined) {
  const out: string[] = []
  const emptied = vi.fn()
  return { out, emptied, printer: new Printer({ pace, write: (text) => out.push(text), emptied }) }
}

test('without a pace, what is printed is out at once', () => {
  const { out, printer: it } = printer(undefined)
  const done = vi.fn()
  it.print('hello\r\n')
  it.end(done)
  expect(out).toEqual(['hello\r\n'])
  expect(done).toHaveBeenCalledOnce()
})

describe('at a pace', () => {
  test('each character comes by itself, in order, and an end of line as one', () => {
    const { out, emptied, printer: it } = printer(10)
    it.print('a🔑\r\n')
    it.print('ä')
    expect(out).toEqual([])
    vi.advanceTimersByTime(200)
    expect(out).toEqual(['a', '🔑'])
    expect(it.waiting).toBe(3)
    vi.advanceTimersByTime(200)
    expect(out).toEqual(['a', '🔑', '\r\n', 'ä'])
    expect(emptied).toHaveBeenCalledOnce()
    expect(vi.getTimerCount()).toBe(0)
    it.print('b')
    vi.advanceTimersByTime(100)
    expect(out.at(-1)).toBe('b')
  })

  test('the end waits for the last character', () => {
    const { out, printer: it } = printer(10)
    const done = vi.fn()
    it.print('bye')
    it.end(done)
    vi.advanceTimersByTime(299)
    expect(done).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(out.join('')).toBe('bye')
    expect(done).toHaveBeenCalledOnce()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('but not for ever: the rest goes out at once', () => {
    const { out, printer: it } = printer(10)
    const done = vi.fn()
    it.print('x'.repeat(1000))
    it.end(done)
    vi.advanceTimersByTime(5_000)
    expect(out.join('')).toBe('x'.repeat(1000))
    expect(done).toHaveBeenCalledOnce()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a connection that is gone leaves nothing behind', () => {
    const { out, printer: it } = printer(10)
    const done = vi.fn()
    it.print('hello')
    it.end(done)
    it.stop()
    vi.advanceTimersByTime(60_000)
    expect([out, done.mock.calls, vi.getTimerCount()]).toEqual([[], [], 0])
  })
})
