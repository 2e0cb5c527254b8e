/** The heap's account: whose the bytes of a snapshot are. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { account } from '../../bench/heap/account.ts'
import { kindsOf } from '../../bench/heap/kinds.ts'

const run = promisify(execFile)
const COUNT = 1_000
const memory = { resident: 0, heapTaken: 0, heapUsed: 0, buffers: 0, external: 0 }

/** The kinds of a program that holds so many objects of a class of its own. */
async function kindsWith(count: number) {
  const program = join(import.meta.dirname, 'holder.ts')
  const { stdout } = await run(process.execPath, [program, String(count)], { maxBuffer: 2 ** 28 })
  return kindsOf(stdout)
}

test('what one object of a class holds is told, by the file of the class', async () => {
  const kinds = await Promise.all([kindsWith(1), kindsWith(1 + COUNT)])
  const [fewer, more] = kinds as [(typeof kinds)[0], (typeof kinds)[0]]
  const given = { protocol: 'none', connections: COUNT, before: memory, with: memory }
  const { sources } = account({ ...given, kinds: [fewer, more] })
  expect(sources[0]!.from).toBe('test/bench')
  const shares = new Map(sources[0]!.kinds.map(({ name, ...share }) => [name, share]))
  expect(shares.get('Held')!.count).toBeCloseTo(1, 1)
  expect(shares.get('Held')!.bytes).toBeGreaterThan(16)
  // 1,024 bytes are outside of the heap, and some more are what makes them a buffer.
  expect(shares.get('Held.bytes')!.bytes).toBeGreaterThan(1_024)
  expect(shares.get('Held.bytes')!.bytes).toBeLessThan(1_400)
  expect(shares.get('Held.#byName')!.bytes).toBeGreaterThan(100)
  expect(shares.get('hear()')!.count).toBeCloseTo(1, 1)
})
