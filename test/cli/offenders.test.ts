import { afterAll, beforeAll, expect, it } from 'vitest'
import { DataFolder, json, porthouse } from './process.ts'

const NETWORK = 'address:203.0.113.0/24'
const CLAIMED = 'identity:client:acme/\x1b[2Jbob'

let data: DataFolder
let env: Record<string, string>
beforeAll(async () => {
  data = await DataFolder.served()
  env = data.env
})
afterAll(() => data.close())

it('are listed and forgiven, one or all of them', async () => {
  const { offences } = data.store
  await offences.add([NETWORK], new Date(1_000_000), 600_000)
  await offences.add([NETWORK, CLAIMED], new Date(2_000_000), 600_000)
  const list = ['offender', 'list']
  expect(await json(list, { env })).toEqual(
    expect.arrayContaining([
      { subject: CLAIMED, count: 1, score: 1, at: new Date(2_000_000).toISOString() },
      expect.objectContaining({ subject: NETWORK, count: 2 }),
    ]),
  )
  // What strangers claim to be must not steer a terminal.
  expect((await porthouse(list, { env })).stdout).not.toContain('\x1b')
  expect(await json(['offender', 'clear', NETWORK], { env })).toEqual({ cleared: 1 })
  expect(await json(list, { env })).toHaveLength(1)
  const again = await porthouse(['offender', 'clear', NETWORK, '--json'], { env })
  expect(again).toMatchObject({ code: 1, stdout: '' })
  expect(JSON.parse(again.stderr)).toMatchObject({ error: { code: 'MISSING' } })
  expect(await json(['offender', 'clear', '--all'], { env })).toEqual({ cleared: 1 })
  expect(await json(list, { env })).toEqual([])
})

it('are not forgiven by a slip', async () => {
  await data.store.offences.add([NETWORK], new Date(), 600_000)
  for (const args of [[], [NETWORK, '--all'], ['203.0.113.9'], ['address:']]) {
    const { code } = await porthouse(['offender', 'clear', ...args], { env })
    expect({ args, code }).toEqual({ args, code: 2 })
  }
  expect(await data.store.offences.list()).toHaveLength(1)
})
