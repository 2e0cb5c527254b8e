import { expect, test } from 'vitest'
import { Turn } from '../../gateway/router/turn.ts'

/** A turn whose end is called by hand, and a log of what was flushed. */
function start() {
  const ends: (() => void)[] = []
  const log: string[] = []
  const turn = new Turn(
    (run) => ends.push(run),
    () => 0,
  )
  const flushed = (name: string, then?: () => void) => ({
    flush() {
      log.push(name)
      then?.()
    },
  })
  const end = () => {
    for (const run of ends.splice(0)) run()
    return log.splice(0)
  }
  return { turn, ends, flushed, end }
}

test('batches are flushed before outboxes, each in the order in which they came', () => {
  const { turn, flushed, end } = start()
  turn.touch(flushed('outbox 1'))
  turn.dirty(flushed('batch 1'))
  turn.touch(flushed('outbox 2'))
  turn.dirty(flushed('batch 2'))
  expect(end()).toEqual(['batch 1', 'batch 2', 'outbox 1', 'outbox 2'])
})

test('the end is asked for once a turn, and again in the next', () => {
  const { turn, ends, flushed, end } = start()
  turn.dirty(flushed('batch'))
  turn.touch(flushed('outbox'))
  expect(ends).toHaveLength(1)
  end()
  turn.touch(flushed('later'))
  expect(end()).toEqual(['later'])
})

test('what a flush adds belongs to this turn, whichever kind adds which', () => {
  const { turn, flushed, end } = start()
  turn.dirty(flushed('batch', () => turn.touch(flushed('outbox of batch'))))
  turn.touch(
    flushed('outbox', () => {
      turn.dirty(flushed('batch of outbox', () => turn.touch(flushed('outbox of that'))))
      turn.touch(flushed('outbox of outbox'))
    }),
  )
  expect(end()).toEqual([
    'batch',
    'outbox',
    'outbox of batch',
    'outbox of outbox',
    'batch of outbox',
    'outbox of that',
  ])
  expect(end()).toEqual([])
})

test('what is for very many is written over turns that others have a part in', () => {
  const { turn, flushed, end } = start()
  for (let i = 0; i < 4_000; i++) turn.touch(flushed('crowd'))
  expect(end().length).toBeLessThan(4_000)
  turn.touch(flushed('another'))
  const next = end()
  expect(next[0]).toBe('another')
  expect(next.length).toBeGreaterThan(1)
  expect(end()).toContain('crowd')
  expect(end()).toEqual([])
})
