/** Commands on what is live, on a gateway that runs: by people, and by scripts. */
import { connect } from '@porthouse/client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { DataFolder, json, linesOf, porthouse, Running } from './process.ts'

/** Each command is a process that has to start. */
vi.setConfig({ testTimeout: 120_000 })

let data: DataFolder
let gateway: Running
let env: Record<string, string>
let client: Awaited<ReturnType<typeof connect>>
let socket: string

beforeAll(async () => {
  data = await DataFolder.open()
  gateway = new Running(['run', '--http', '127.0.0.1:0'], { env: data.env })
  const said = await gateway.says(/WebSocket ws:\S+\)/)
  const [, url = ''] = /WebSocket (ws:[^)]+)\)/.exec(said)!
  env = { ...data.env, PORTHOUSE_URL: url }
  await json(['account', 'create', 'acme'], { env })
  for (const room of ['acme/field', 'acme/yard']) {
    const kinds = ['--open', '--history', 'durable']
    await json(['room', 'create', room, ...kinds], { env })
  }
  client = await connect(url)
  const room = await client.join('acme/field')
  await room.send('hello')
  await room.send('it is cold', { channel: 'news' })
  const [only] = await json<{ name: string }[]>(['socket', 'list', '-'], { env })
  socket = only!.name.replace('sockets/', '')
})
afterAll(async () => {
  await client.close()
  await gateway.stop()
  await data.close()
})

async function told(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await porthouse(args, { env })
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return stdout
}

it('sockets are listed, shown and found by room', async () => {
  const line = new RegExp(`^${socket}  websocket +- +acme/field`, 'm')
  expect(await told('socket', 'list')).toMatch(line)
  expect(await told('socket', 'list', 'acme', '--room', 'acme/field')).toContain(socket)
  expect(await told('socket', 'list', 'acme', '--room', 'acme/yard')).not.toContain(socket)
  expect(await told('socket', 'show', `socket:${socket}`)).toMatch(/^rooms +acme\/field$/m)
})

it('the graph is walked from a room and from a socket', async () => {
  expect(await told('graph', 'sockets', 'acme/field')).toContain(socket)
  expect(await told('graph', 'rooms', `socket:${socket}`)).toContain('acme/field')
  await told('graph', 'clients', 'acme/field')
  await told('graph', 'groups', 'acme/field')
  const { code, stderr } = await porthouse(['graph', 'rooms', 'acme/field'], { env })
  expect(code).toBe(2)
  expect(stderr).toContain('client or socket')
})

it('stats tell of all, of a room and of its channels', async () => {
  expect(await told('stats', 'show')).toMatch(/^sockets +1$/m)
  expect(await told('stats', 'show', 'acme/field')).toMatch(/^messages +2$/m)
  expect(await told('stats', 'list', 'acme')).toContain('acme/field')
  expect(await told('stats', 'list', 'acme/field')).toContain('acme/field/news')
  expect(await told('stats', 'slow')).toMatch(/^socket +stuck in/)
  const view = await told('top', '--count', '1', '--interval', '0.2')
  expect(view).toMatch(/^sockets 1 {2}clients/m)
  const views = await told('top', '--count', '2', '--interval', '0.2', '--json')
  expect(linesOf(views)).toHaveLength(2)
})

it('what a room keeps is fetched without entering it', async () => {
  const kept = await json<{ envelope: { text: string } }[]>(
    ['message', 'fetch', 'acme/field', '--last', '2'],
    { env },
  )
  expect(kept.map(({ envelope }) => envelope.text)).toEqual(['hello', 'it is cold'])
  expect(await told('message', 'fetch', 'acme/field', '--channel', 'news')).not.toContain('hello')
  await told('message', 'cursors', 'acme/field')
})

it('the gateway tells what it is, and logs more for a while', async () => {
  expect(await told('server', 'show')).toMatch(/^features +websocket/m)
  expect(await told('server', 'config')).toContain('"drainMs"')
  const set = await told('server', 'log-level', 'debug', '--subsystem', 'mqtt', '--for', '1m')
  expect(set).toMatch(/^mqtt logs debug until /)
  expect((await porthouse(['server', 'log-level', 'loud'], { env })).code).toBe(2)
  expect(await told('server', 'drain', 'acme', '--dry-run')).toContain('dry run')
})

describe('while it watches', () => {
  it('events are told as they happen', async () => {
    const watching = new Running(['technical', 'watch', '--count', '1', '--json'], { env })
    await watching.says('watching', 'stderr')
    const other = await connect(env.PORTHOUSE_URL!)
    await watching.says(/EVENT_KIND_OPENED/)
    expect((await watching.ended).code).toBe(0)
    await other.close()
    expect(await told('technical', 'announce', 'acme', 'back at noon')).toBe('announced\n')
  })

  it('sockets are told as they come and go', async () => {
    const watching = new Running(['socket', 'list', '--watch'], { env })
    await watching.says(`=  ${socket}`)
    const other = await connect(env.PORTHOUSE_URL!)
    await other.join('acme/yard')
    await watching.says(/^\+ {2}(\S+)/m)
    await other.close()
    await watching.says(/^- {2}(\S+)/m)
    await watching.stop()
  })
})

it('sockets are moved, and dropped', async () => {
  const from = ['--from', 'acme/field']
  expect(await told('socket', 'move', socket, 'acme/yard', ...from)).toMatch(/^rooms +acme\/yard$/m)
  expect(await told('socket', 'drop', socket, '--reason', 'enough')).toContain('is dropped')
  const { code, stderr } = await porthouse(['socket', 'show', socket], { env })
  expect(code).toBe(1)
  expect(stderr).toContain(socket)
})
