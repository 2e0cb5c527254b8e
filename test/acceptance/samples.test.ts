/** The samples of the client for Node, run as their first lines say. */
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { connect } from '../../clients/ts/src/index.ts'
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

/** Somebody in the room, and a token for the sample. */
async function inside() {
  const grant = ['token', 'create', 'acme', '--room', 'hello:send,receive']
  const { secret } = await hub.json<{ secret: string }>(grant)
  const client = await connect(hub.url, { token: secret })
  onTestFinished(() => client.close())
  return { secret, client, room: await client.join('acme/hello') }
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

test('chat.ts says what is typed, and shows what it hears', async () => {
  const { secret, room, client } = await inside()
  const messages = room.messages()
  const chat = sample('chat.ts', hub.url, 'acme/hello', secret)
  await chat.says('in room:acme/hello\n')
  chat.process.stdin.write('good evening\n')
  expect((await messages.next()).value).toMatchObject({ text: 'good evening' })
  await room.send('to you too')
  await chat.says(`${client.socket}: to you too\n`)
  chat.process.stdin.end('and good night')
  expect((await messages.next()).value).toMatchObject({ text: 'and good night' })
  expect(await chat.ended).toMatchObject({ code: 0, stderr: '' })
})

test('device.ts tells its readings until it is stopped', async () => {
  const { secret, room } = await inside()
  const messages = room.messages()
  const device = sample('device.ts', hub.url, 'acme/hello', secret, '1')
  for (const reading of [1, 2, 3]) {
    const told = { channel: 'readings', contentType: 'application/json' }
    const { value } = await messages.next()
    expect(value).toMatchObject({ ...told, text: JSON.stringify({ reading }) })
  }
  await room.send('stop')
  const { code, stdout, stderr } = await device.ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(
    /^in room:acme\/hello\nROUTED 1\nROUTED 2\nROUTED 3\n(ROUTED \d+\n)*stopped\n$/,
  )
})

test('responder.ts answers who asks, where they ask it to', async () => {
  const { secret, room, client } = await inside()
  const responder = sample('responder.ts', hub.url, 'acme/hello', secret)
  await responder.says('in room:acme/hello\n')
  const direct = client.messages()
  await room.send('/ping', { correlationId: 'one' })
  await room.send('/pingpong')
  await room.send('/echo  as it is', { replyTo: 'room:acme/hello/answers' })
  await room.send('/ping', { replyTo: 'room:acme/elsewhere' })
  await room.send('/stop')
  const answers = []
  for (const _ of 'abc') {
    const { text, address, correlationId } = (await direct.next()).value
    answers.push([text, address, correlationId && new TextDecoder().decode(correlationId)])
  }
  expect(answers).toEqual([
    ['pong', client.socket, 'one'],
    [' as it is', 'room:acme/hello/answers', undefined],
    ['bye', client.socket, undefined],
  ])
  const { code, stdout, stderr } = await responder.ended
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: `not answered ${client.socket}: ROOM_UNKNOWN\n`,
  })
  expect(stdout.split('\n').slice(1, -1)).toEqual([
    `answered ${client.socket}: pong`,
    `answered ${client.socket}:  as it is`,
    `answered ${client.socket}: bye`,
  ])
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
