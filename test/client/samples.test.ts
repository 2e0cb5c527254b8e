/** What the samples of rooms that remember say they do. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
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

test('history: a board keeps its lines', async () => {
  await hub.room('demo/board', [{ case: 'history', value: { keep: 3 } } as never])
  const token = await hub.token('demo', ['board'], { client: 'anna' })
  const run = async (...line: string[]) => {
    const program = sample('history', hub.url, 'demo/board', token, ...line)
    const [output] = await Promise.all([text(program.stdout), once(program, 'exit')])
    return output
  }
  expect(await run('first')).toBe('STORED 1\n')
  expect(await run('second')).toBe('1 client:demo/anna: first\nSTORED 2\n')
  expect(await run()).toBe('1 client:demo/anna: first\n2 client:demo/anna: second\n')
})

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
