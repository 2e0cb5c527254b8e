/** Suites that are written for Node's test runner, as those that Aedes exports, run by vitest. */
import assert from 'node:assert'
import { test } from 'vitest'

type Assert = Pick<typeof assert, 'equal' | 'notEqual' | 'deepEqual' | 'ok' | 'ifError'>

/** What such a test is given; a failed assertion throws, and counts. */
interface Context {
  readonly assert: Assert
  plan(assertions: number): void
  fail(message: string): never
  diagnostic(message: string): void
}

/** As `test` of node:test. What fails in a callback fails the test all the same. */
export function nodeTest(name: string, run: (t: Context) => Promise<void> | void): void {
  test(name, async () => {
    let planned: number | undefined
    let counted = 0
    let failure: unknown
    const counting =
      <Args extends unknown[]>(check: (...args: Args) => void) =>
      (...args: Args) => {
        counted++
        try {
          check(...args)
        } catch (error) {
          failure ??= error
          throw error
        }
      }
    await run({
      assert: {
        equal: counting(assert.equal),
        notEqual: counting(assert.notEqual),
        deepEqual: counting(assert.deepEqual),
        ok: counting(assert.ok) as Assert['ok'],
        ifError: counting(assert.ifError) as Assert['ifError'],
      },
      plan: (assertions) => {
        planned = assertions
      },
      fail: counting((message: string) => assert.fail(message)) as Context['fail'],
      diagnostic: () => {},
    })
    if (failure) throw failure
    if (planned !== undefined) assert.equal(counted, planned, `${planned} assertions were planned`)
  })
}
