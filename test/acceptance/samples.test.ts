/** The samples of the client for Node, run as their first lines say. */
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { Running } from '../cli/process.ts'
import { Hub } from './hub.ts'

const folder = resolve(import.meta.dirname, '../../clients/ts/samples')

let hub: Hub

beforeAll(async () => {
  hub = await Hub.start()
  await hub.json(['account', 'create', 'acme'])
  await hub.json(['room', 'create', 'acme/hello'])
  const answer_sha256 = createHash('sha256').update('mellon').digest('hex')
  const tty = { acceptor: 'tty', options: { prompts: [{ text: 'The word:', answer_sha256 }] } }
  const identity = { acceptor: 'identity', options: { by: { lock: { acceptor: 'password' } } } }
  await hub.room('acme/door', { all: { flows: [{ lock: identity }, { lock: tty }] } })
  const anna = ['client', 'create', 'acme/anna', '--password-stdin', '--room', 'door:send,receive']
  await hub.json(anna, { input: 'secret' })
})
afterAll(async () => {
  expect(await hub.stop()).toMatchObject({ code: 0, stderr: '' })
})

function sample(name: string, ...args: string[]): Running {
  const running = new Running([resolve(folder, name), ...args], { command: process.execPath })
  onTestFinished(() => void running.process.kill('SIGKILL'))
  return running
}

test('hello.ts says hello and hears the answer', async () => {
  const grant = ['token', 'create', 'acme', '--room', 'hello:send,receive']
  const { secret } = await hub.json<{ secret: string }>(grant)
  const hello = sample('hello.ts', hub.url, 'acme/hello', secret)
  await hello.says('VOID to 0')
  await hub.json(['send', 'acme/hello', 'hello yourself', '--token', secret])
  const { code, stdout } = await hello.ended
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('yourself') })
})

test('lock-dance.ts shows each step, and is in', async () => {
  const dance = sample('lock-dance.ts', `${hub.url}/acme/door`, 'anna', 'secret', 'mellon')
  const { code, stdout } = await dance.ended
  expect(code).toBe(0)
  expect(
    stdout
      .replaceAll(/lock:\w+/g, 'lock')
      .trimEnd()
      .split('\n'),
  ).toEqual([
    'lock of room:acme/door asks for password',
    'lock passed',
    'lock passed',
    'lock of room:acme/door asks for tty',
    'lock passed',
    'in room:acme/door',
  ])
})

test('lock-dance.ts gives up where its words are wrong', async () => {
  const dance = sample('lock-dance.ts', `${hub.url}/acme/door`, 'anna', 'secret', 'melon')
  const { code, stdout, stderr } = await dance.ended
  expect(code).toBe(1)
  expect(stdout).toMatch(/asks for tty\nlock:\w+ failed\n/)
  expect(stdout).not.toContain('in room:')
  expect(stderr).toContain('UNAUTHENTICATED')
})
