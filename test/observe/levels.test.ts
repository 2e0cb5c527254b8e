/** Levels of the log that change while it runs, and lines that strangers can cause (L10). */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LEVEL_MS_MAX, levelsOf } from '../../gateway/observe/levels.ts'
import { type Log, logTo } from '../../gateway/observe/log.ts'

interface Line {
  readonly level: string
  readonly msg: string
  readonly sub?: string
  readonly leftOut?: number
}

let lines: Line[]
let log: Log

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  lines = []
  log = logTo({ write: (line) => void lines.push(JSON.parse(line) as Line) }, 'info')
})
afterEach(() => {
  vi.useRealTimers()
})

const told = () => lines.splice(0).map(({ msg }) => msg)

describe('levels', () => {
  test('a line says whose it is', () => {
    levelsOf(log).of('mqtt').info('hello')
    expect(lines).toMatchObject([{ sub: 'mqtt', msg: 'hello', level: 'info' }])
  })

  test('that of the whole log reaches loggers that were given out before', () => {
    const mqtt = levelsOf(log).of('mqtt')
    levelsOf(log).set({ level: 'debug' })
    mqtt.debug('of mqtt')
    log.debug('of nobody')
    levelsOf(log).set({ level: 'silent' })
    mqtt.fatal('of mqtt')
    expect(told()).toEqual(['of mqtt', 'of nobody'])
  })

  test('that of a subsystem is its own, until it is taken back', () => {
    const levels = levelsOf(log)
    levels.set({ level: 'trace', subsystem: 'store' })
    levels.of('store').trace('of the store')
    levels.of('mqtt').debug('of mqtt')
    levels.set({ level: 'error' })
    expect([levels.level('store'), levels.level('mqtt')]).toEqual(['trace', 'error'])
    expect([levels.hasOwn('store'), levels.hasOwn('mqtt')]).toEqual([true, false])
    levels.set({ level: undefined, subsystem: 'store' })
    levels.of('store').warn('of the store again')
    expect(told()).toEqual(['of the store'])
  })

  test('for a while it goes back by itself, also where it was set for a while twice', () => {
    const levels = levelsOf(log)
    levels.set({ level: 'warn' })
    levels.set({ level: 'debug', forMs: 1_000 })
    vi.advanceTimersByTime(500)
    levels.set({ level: 'trace', forMs: 1_000 })
    vi.advanceTimersByTime(999)
    expect(levels.level()).toBe('trace')
    vi.advanceTimersByTime(1)
    expect(levels.level()).toBe('warn')
  })

  test('for good ends what was for a while', () => {
    const levels = levelsOf(log)
    levels.set({ level: 'debug', subsystem: 'admin', forMs: 1_000 })
    levels.set({ level: 'error', subsystem: 'admin' })
    vi.advanceTimersByTime(2_000)
    expect(levels.level('admin')).toBe('error')
  })

  test.each([0, -1, Number.NaN, LEVEL_MS_MAX + 1])('not for %d ms', (forMs) => {
    expect(() => levelsOf(log).set({ level: 'debug', forMs })).toThrow(RangeError)
    expect(levelsOf(log).level()).toBe('info')
  })
})

describe('a flood of one text', () => {
  test('is left out but for some, and told with the next line of it', () => {
    for (let i = 0; i < 10_000; i++) log.warn({ err: new Error('mine') }, 'not judged')
    expect(lines.length).toBe(50)
    vi.advanceTimersByTime(1_000)
    log.warn({ acceptor: 'token' }, 'not judged')
    expect(lines.at(-1)).toMatchObject({ leftOut: 9_950, acceptor: 'token', msg: 'not judged' })
    log.warn('not judged')
    expect(lines.length).toBe(51)
  })

  test('hides no other text, in whichever subsystem', () => {
    const locks = levelsOf(log).of('locks')
    for (let i = 0; i < 1_000; i++) locks.warn('not judged')
    log.warn('something else')
    locks.warn('something else')
    expect(told().slice(50)).toEqual(['something else', 'something else'])
  })

  test('is told in full where somebody asked for it', () => {
    levelsOf(log).set({ level: 'debug', forMs: 1_000 })
    for (let i = 0; i < 1_000; i++) log.debug('a packet')
    expect(lines.length).toBe(1_000)
  })

  test('of texts without number is bounded in all', () => {
    for (let i = 0; i < 100_000; i++) log.info(`text ${i}`)
    expect(lines.length).toBeLessThan(400)
  })
})
