/** The sample of TypeScript alone; those of every language: test/clients/samples.test.ts. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../clients/ts/src/index.ts'
import { TestGateway } from '../support/gateway.ts'

let hub: TestGateway

beforeAll(async () => {
  hub = await TestGateway.start()
}, 60_000)
afterAll(() => hub?.stop())

function sample(name: string, ...args: string[]) {
  const file = new URL(`../../clients/ts/samples/${name}.ts`, import.meta.url).pathname
  return spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
}

test('renderer: A to Z is there as long as it is', async () => {
  await hub.room('demo/canvas', [{ case: 'sessionHistory', value: { owners: 1 } } as never])
  const token = await hub.token('demo', ['canvas'])
  const renderer = sample('renderer', hub.url, 'demo/canvas', token)
  await once(renderer.stdout, 'data')
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
  const hear = async (count: number) => {
    await using client = await connect(hub.url, { token })
    const messages = (await client.join('demo/canvas')).messages()
    const heard: string[] = []
    for await (const message of messages) {
      expect(message.replay).toBe('session')
      heard.push(message.text!)
      if (heard.length === count) break
    }
    return heard
  }
  expect(await hear(26)).toEqual(letters)
  renderer.stdin.end()
  await once(renderer, 'exit')
  await using client = await connect(hub.url, { token })
  await using other = await connect(hub.url, { token })
  const messages = (await client.join('demo/canvas')).messages()
  await other.send('demo/canvas', 'live')
  expect((await messages.next()).value).toMatchObject({ text: 'live' })
})
