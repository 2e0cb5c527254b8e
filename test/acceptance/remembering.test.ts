/** Rooms that remember, as a new user has them: by the command line and the client (R24, R36). */
import { once } from 'node:events'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { connect } from '../../clients/ts/src/index.ts'
import { linesOf, type Running } from '../cli/process.ts'
import { SshKeygen } from '../support/ssh-keygen.ts'
import { Hub } from './hub.ts'

interface Heard {
  readonly text: string
  readonly sequence: number
  readonly replay?: string
}

let hub: Hub
let keygen: SshKeygen

beforeAll(async () => {
  keygen = new SshKeygen()
  hub = await Hub.start()
  await hub.json(['account', 'create', 'acme'])
})
afterAll(async () => {
  keygen[Symbol.dispose]()
  expect(await hub.stop()).toMatchObject({ code: 0, stderr: '' })
})

/** Options of somebody with a token for the room. */
async function guest(room: string): Promise<string[]> {
  const grant = ['token', 'create', 'acme', '--room', `${room}:send,receive`]
  const { secret } = await hub.json<{ secret: string }>(grant)
  return ['--token', secret]
}

/** Options of a client with an SSH key. */
async function client(name: string, room: string): Promise<string[]> {
  const { file } = keygen.make('ed25519')
  const rights = ['--room', `${room}:send,receive`]
  await hub.json(['client', 'create', `acme/${name}`, '--ssh-key', `${file}.pub`, ...rights])
  return ['--as', name, '--ssh-key', file]
}

function begin(...args: string[]): Running {
  const running = hub.begin(args)
  onTestFinished(() => void running.process.kill('SIGKILL'))
  return running
}

async function heard(...args: string[]): Promise<Heard[]> {
  const { code, stdout, stderr } = await hub.run(['listen', ...args, '--json'])
  expect({ args, code, stderr }).toMatchObject({ code: 0 })
  return linesOf<Heard>(stdout)
}

const textsOf = (messages: readonly Heard[]) => messages.map(({ text }) => text)

/** Puts it on the board, for good. */
function post(room: string, text: string, as: readonly string[]): Promise<object> {
  return hub.json(['send', room, text, '--level', 'stored', ...as])
}

test('a board made by one command keeps what was said over kill -9', async () => {
  await hub.json(['room', 'create', 'acme/board', '--history', 'durable'])
  const as = await guest('board')
  for (const [at, text] of ['one', 'two', 'three'].entries()) {
    expect(await post('acme/board', text, as)).toMatchObject({ status: 'STORED', sequence: at + 1 })
  }
  const there = begin('listen', 'acme/board', '--text', ...as)
  await there.says('listening', 'stderr')
  await hub.crash()
  await there.says('connected again', 'stderr')
  const board = await heard('acme/board', '--since', 'start', '--count', '3', ...as)
  expect(board).toMatchObject([
    { text: 'one', sequence: 1, replay: 'history' },
    { text: 'two', sequence: 2, replay: 'history' },
    { text: 'three', sequence: 3, replay: 'history' },
  ])
  expect(await post('acme/board', 'four', as)).toMatchObject({ status: 'STORED', sequence: 4 })
  // Whoever was there hears what is new, and nothing twice.
  expect(await there.says('four')).toBe('four\n')
})

test('a client that was away gets what it has not read, once', async () => {
  await hub.json(['room', 'create', 'acme/notes', '--history', 'durable', '--lock', 'ssh-key'])
  const [anna, bob] = [await client('anna', 'notes'), await client('bob', 'notes')]
  const unread = (count: number) => [
    ...['acme/notes', '--since', 'unread', '--count', `${count}`],
    ...bob,
  ]
  await post('acme/notes', 'one', anna)
  expect(textsOf(await heard(...unread(1)))).toEqual(['one'])
  await post('acme/notes', 'two', anna)
  await post('acme/notes', 'three', anna)
  expect(textsOf(await heard(...unread(2)))).toEqual(['two', 'three'])
  const again = begin('listen', ...unread(1), '--text')
  await again.says('listening', 'stderr')
  await post('acme/notes', 'four', anna)
  expect(await again.ended).toMatchObject({ code: 0, stdout: 'four\n' })
})

test('what a connection drew is replayed to who comes, and gone when it leaves', async () => {
  await hub.json(['room', 'create', 'acme/canvas', '--session-history'])
  const as = await guest('canvas')
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
  const renderer = begin('connect', 'acme/canvas', ...as)
  renderer.process.stdin.write(letters.map((letter) => `${letter}\n`).join(''))
  await renderer.says(/(^[A-Z]+ .*\n){26}/m)
  const drawn = await heard('acme/canvas', '--count', '26', ...as)
  expect(textsOf(drawn)).toEqual(letters)
  expect(new Set(drawn.map(({ replay }) => replay))).toEqual(new Set(['session']))
  await using newcomer = await connect(hub.url, { token: as[1]! })
  const seen: (string | undefined)[] = []
  for await (const { text } of (await newcomer.join('acme/canvas')).messages()) {
    if (seen.push(text) === 26) break
  }
  expect(seen).toEqual(letters)
  renderer.process.stdin.end()
  await once(renderer.process, 'exit')
  const late = begin('listen', 'acme/canvas', '--count', '1', '--text', ...as)
  await late.says('listening', 'stderr')
  await hub.json(['send', 'acme/canvas', 'blank', ...as])
  expect(await late.ended).toMatchObject({ code: 0, stdout: 'blank\n' })
})

test('a room that keeps nothing says so, and what would', async () => {
  await hub.json(['room', 'create', 'acme/street'])
  const as = await guest('street')
  const stored = await hub.run(['send', 'acme/street', 'x', '--level', 'stored', ...as])
  expect(stored).toMatchObject({ code: 3, stdout: expect.stringMatching(/^REJECTED .*NO_HISTORY/) })
  expect(stored.stderr).toContain('room create --history durable')
  const unread = await hub.run(['listen', 'acme/street', '--since', 'unread', ...as])
  expect(unread).toMatchObject({ code: 3, stdout: '' })
  expect(unread.stderr).toMatch(/may be missing \(NO_HISTORY\); .* --history durable/)
  const bystander = begin('listen', 'acme/street', ...as)
  await bystander.says('listening', 'stderr')
  await hub.json(['send', 'acme/street', 'unheard', ...as])
  const after = begin('listen', 'acme/street', '--since', 'start', '--count', '1', '--text', ...as)
  await after.says('may be missing (NO_HISTORY)', 'stderr')
  await after.says('listening', 'stderr')
  await hub.json(['send', 'acme/street', 'live', ...as])
  expect(await after.ended).toMatchObject({ code: 0, stdout: 'live\n' })
})

test('a backup brought back into an empty folder has the board', async () => {
  await hub.json(['room', 'create', 'acme/log', '--history', 'durable'])
  const as = await guest('log')
  for (const text of ['one', 'two']) await post('acme/log', text, as)
  const file = hub.file('monday.porthouse')
  expect(await hub.run(['backup', file])).toMatchObject({ code: 0 })
  await post('acme/log', 'three', as)
  const data = hub.file('restored')
  expect(await hub.run(['restore', file, '--data', data])).toMatchObject({ code: 0 })
  const other = begin('run', '--http', '127.0.0.1:0', '--log', 'warn', '--data', data)
  const [, url] = /WebSocket (ws:\S+)\)/.exec(await other.says(/WebSocket ws:\S+\)/))!
  const env = { PORTHOUSE_URL: url! }
  const all = ['listen', 'acme/log', '--since', 'start', '--count', '2', '--json', ...as]
  const { stdout } = await hub.run(all, { env })
  expect(linesOf<Heard>(stdout)).toMatchObject([
    { text: 'one', sequence: 1 },
    { text: 'two', sequence: 2 },
  ])
  const next = ['send', 'acme/log', 'another third', '--level', 'stored', ...as]
  expect(await hub.json(next, { env })).toMatchObject({ status: 'STORED', sequence: 3 })
  expect(await other.stop()).toMatchObject({ code: 0, stderr: '' })
})
