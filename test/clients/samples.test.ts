/**
 * The samples of every language do the same: same arguments, same output, same end. Each runs
 * against a real gateway, and the one that it talks to is the client in TypeScript.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { Keep } from '@porthouse/proto/room/v1/history'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Client, connect, type Room } from '../../clients/ts/src/index.ts'
import { newPassword } from '../../gateway/identity/passwords.ts'
import type { Running } from '../cli/process.ts'
import { TestGateway } from '../support/gateway.ts'
import { BUILD_MS, type Language, languages, type Sample, start } from './languages.ts'

const FIRST = 'demo/first'
const HALL = 'demo/hall'
const PASSWORD = 'secret'

let hub: TestGateway
let anna: string
let bert: string
const clients: Client[] = []
const programs: Running[] = []

beforeAll(async () => {
  hub = await TestGateway.start()
  const rooms = ['first', 'hall', ...languages.map(boardOf)]
  for (const room of rooms) {
    const keeps = room.startsWith('board')
    await hub.room(`demo/${room}`, keeps ? [block('history', { keep: Keep.DURABLE })] : [])
  }
  await hub.room('demo/door', [block('access', { locks: [], flow: DOOR })])
  const data = { ...(await newPassword(PASSWORD, randomBytes(16))) }
  await hub.store.clients.create({ account: 'demo', slug: 'anna', grants: [] })
  const facts = { id: randomUUID(), kind: 'password', account: 'demo', client: 'anna' } as const
  await hub.store.credentials.add({ ...facts, label: '', data })
  anna = await hub.token('demo', rooms, { client: 'anna' })
  bert = await hub.token('demo', rooms, { client: 'bert' })
  await Promise.all(languages.map(({ build }) => build()))
}, BUILD_MS)
afterEach(async () => {
  for (const { process } of programs.splice(0)) process.kill('SIGKILL')
  await Promise.all(clients.splice(0).map((client) => client.close()))
})
afterAll(() => hub?.stop())

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const block = (kind: string, value: object) => ({ case: kind, value }) as never

const lock = (acceptor: string, options: object) => ({
  kind: { case: 'lock', value: { acceptor, deadlineMs: 60_000, options } },
})

/** Who it is, which asks for a password within, and then a word. */
const DOOR = {
  kind: {
    case: 'all',
    value: {
      flows: [
        lock('identity', { by: { lock: { acceptor: 'password' } } }),
        lock('tty', { prompts: [{ text: 'The word:', answer_sha256: sha256('mellon') }] }),
      ],
    },
  },
}

function boardOf({ name }: Language): string {
  return `board-${name.toLowerCase()}`
}

/** A sample as anna runs it. */
function run(language: Language, sample: Sample, ...args: string[]): Running {
  const program = start(language, sample, ...args)
  programs.push(program)
  return program
}

/** Somebody else in the room. */
async function visitor(address: string): Promise<Room> {
  const client = await connect(hub.url, { token: bert })
  clients.push(client)
  return client.join(address)
}

const succeeds = (stdout: string) => ({ code: 0, stdout, stderr: '' })

describe.each(languages.map((language) => [language.name, language] as const))('%s', (_, each) => {
  test('hello', async () => {
    const room = await visitor(FIRST)
    const messages = room.messages()
    const hello = run(each, 'hello', hub.url, FIRST, anna)
    expect((await messages.next()).value).toMatchObject({ text: 'hello' })
    await room.send('hello yourself')
    expect(await hello.ended).toEqual(succeeds('ROUTED to 1\nclient:demo/bert: hello yourself\n'))
  })

  test('chat', async () => {
    const room = await visitor(FIRST)
    const messages = room.messages()
    const chat = run(each, 'chat', hub.url, FIRST, anna)
    await chat.says('in room:demo/first\n')
    chat.process.stdin.write('first line\nund ein zweiter: Äpfel\n')
    for (const text of ['first line', 'und ein zweiter: Äpfel']) {
      expect((await messages.next()).value).toMatchObject({ text, from: 'client:demo/anna' })
    }
    await room.send('well said')
    await chat.says('client:demo/bert: well said\n')
    chat.process.stdin.end('the last')
    expect((await messages.next()).value).toMatchObject({ text: 'the last' })
    expect(await chat.ended).toMatchObject({ code: 0, stderr: '' })
  })

  test('device', async () => {
    const room = await visitor(FIRST)
    const messages = room.messages()
    const device = run(each, 'device', hub.url, FIRST, anna, '10')
    for (const reading of [1, 2, 3]) {
      expect((await messages.next()).value).toMatchObject({
        channel: 'readings',
        contentType: 'application/json',
        text: `{"reading":${reading}}`,
      })
    }
    await room.send('no word of its own')
    await room.send('stop')
    const { code, stdout, stderr } = await device.ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^in room:demo\/first\nROUTED 1\nROUTED 2\nROUTED 3\n/)
    expect(stdout).toMatch(/\nstopped\n$/)
  })

  test('history', async () => {
    const board = `demo/${boardOf(each)}`
    const show = (...line: string[]) => run(each, 'history', hub.url, board, anna, ...line).ended
    expect(await show('first')).toEqual(succeeds('STORED 1\n'))
    expect(await show('second')).toEqual(succeeds('1 client:demo/anna: first\nSTORED 2\n'))
    const both = '1 client:demo/anna: first\n2 client:demo/anna: second\n'
    expect(await show()).toEqual(succeeds(both))
  })

  test('lock-dance', async () => {
    const url = `${hub.url}/demo/door`
    const words = ['anna', PASSWORD, 'mellon']
    const { code, stdout } = await run(each, 'lock-dance', url, ...words).ended
    expect([
      code,
      ...stdout
        .replaceAll(/lock:\w+/g, 'lock')
        .trimEnd()
        .split('\n'),
    ]).toEqual([
      0,
      'lock of room:demo/door asks for password',
      'lock passed',
      'lock passed',
      'lock of room:demo/door asks for tty',
      'lock passed',
      'in room:demo/door',
    ])
    const wrong = await run(each, 'lock-dance', url, 'anna', PASSWORD, 'melon').ended
    expect(wrong.code).not.toBe(0)
    expect(wrong.stdout).toMatch(/asks for tty\nlock:\w+ failed\n/)
    expect(wrong.stdout).not.toContain('in room:')
    expect(wrong.stderr).toContain('UNAUTHENTICATED')
  })

  test('responder', async () => {
    const room = await visitor(FIRST)
    const [client] = clients as [Client]
    const answers = client.messages()
    const responder = run(each, 'responder', hub.url, FIRST, anna)
    await responder.says('in room:demo/first\n')
    await room.send('/pingpong')
    await room.send('/ping', { correlationId: 'one' })
    await room.send('/echo  as it is', { replyTo: 'room:demo/first/answers' })
    // Where it may not answer, others are answered all the same.
    await room.send('/ping', { replyTo: 'room:demo/nowhere' })
    await room.send('/stop')
    const heard = []
    for (const _ of 'abc') {
      const { text, address, correlationId } = (await answers.next()).value
      heard.push([text, address, correlationId && new TextDecoder().decode(correlationId)])
    }
    expect(heard).toEqual([
      ['pong', 'client:demo/bert', 'one'],
      [' as it is', 'room:demo/first/answers', undefined],
      ['bye', 'client:demo/bert', undefined],
    ])
    const { code, stdout } = await responder.ended
    const told = ['pong', ' as it is', 'bye'].map((word) => `answered client:demo/bert: ${word}`)
    expect([code, ...stdout.trimEnd().split('\n')]).toEqual([0, 'in room:demo/first', ...told])
  })
})

test('the devices of all languages are in one room, and all are heard there', async () => {
  const room = await visitor(HALL)
  const [client] = clients as [Client]
  const messages = room.messages()
  const tokens = await Promise.all(
    languages.map(({ name }) => hub.token('demo', ['hall'], { client: name.toLowerCase() })),
  )
  const devices = languages.map((each, i) => run(each, 'device', hub.url, HALL, tokens[i]!, '50'))
  const missing = new Set(languages.map(({ name }) => `client:demo/${name.toLowerCase()}`))
  for await (const { from, channel } of messages) {
    expect(channel).toBe('readings')
    missing.delete(from)
    if (missing.size === 0) break
  }
  const { value: hall } = await client.stats(HALL).next()
  expect(hall).toMatchObject({ address: `room:${HALL}`, sockets: languages.length + 1 })
  await room.send('stop')
  for (const device of devices) expect(await device.ended).toMatchObject({ code: 0, stderr: '' })
})
