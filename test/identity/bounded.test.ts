import { describe, expect, test } from 'vitest'
import { Bounded } from '../../gateway/identity/bounded.ts'

const wanted = new AbortController().signal

/** A task that ends when it is told to. */
function task<T>(value: T) {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  let started = false
  const run = () => {
    started = true
    return promise
  }
  return { run, end: () => resolve(value), fail: reject, started: () => started }
}

describe('heavy work', () => {
  test('runs a few at a time, in order, and no more wait than may', async () => {
    const bounded = new Bounded(2, 1)
    const tasks = ['a', 'b', 'c', 'd'].map(task)
    const [a, b, c, d] = tasks.map(({ run }) => bounded.run(run, wanted))
    expect(tasks.map(({ started }) => started())).toEqual([true, true, false, false])
    expect(await d).toBeUndefined()
    tasks[1]!.end()
    expect(await b).toBe('b')
    tasks[2]!.end()
    expect(await c).toBe('c')
    tasks[0]!.end()
    expect(await a).toBe('a')
    expect(tasks[3]!.started()).toBe(false)
  })

  test('a task that fails gives up its place; one that nobody wants is skipped', async () => {
    const bounded = new Bounded(1, 3)
    const gone = new AbortController()
    const [first, second, third] = ['a', 'b', 'c'].map(task) as [Task, Task, Task]
    const a = bounded.run(first.run, wanted)
    const b = bounded.run(second.run, gone.signal)
    const c = bounded.run(third.run, wanted)
    gone.abort()
    first.fail(new Error('broken'))
    await expect(a).rejects.toThrow('broken')
    expect(await b).toBeUndefined()
    third.end()
    expect(await c).toBe('c')
    expect(second.started()).toBe(false)
    const last = task('d')
    const d = bounded.run(last.run, wanted)
    last.end()
    expect(await d).toBe('d')
  })

  test('those who give up keep nobody out while they would have waited', async () => {
    const bounded = new Bounded(1, 2)
    const gone = new AbortController()
    const [first, last] = ['a', 'b'].map(task) as [Task, Task]
    const a = bounded.run(first.run, wanted)
    const left = [1, 2].map(() => bounded.run(task('x').run, gone.signal))
    gone.abort()
    expect(await Promise.all(left)).toEqual([undefined, undefined])
    expect(await bounded.run(task('y').run, gone.signal)).toBeUndefined()
    const b = bounded.run(last.run, wanted)
    first.end()
    last.end()
    expect([await a, await b]).toEqual(['a', 'b'])
  })
})

type Task = ReturnType<typeof task<string>>
