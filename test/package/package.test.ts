/**
 * What would be published, installed as a user would: packed, in a folder of its own, run by Node.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { Keep } from '@porthouse/proto/room/v1/history'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { connect } from '../../clients/ts/src/index.ts'
import { TestGateway } from '../support/gateway.ts'
import { Relay } from '../support/relay.ts'
import { bundle, shows, WebPages } from '../support/web-pages.ts'
import { root } from '../tidy/root.ts'

const execute = promisify(execFile)
const packages = ['proto', 'client', 'porthouse', 'conformance']

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'porthouse-package-'))
  await execute('node', ['scripts/build.ts'], { cwd: root })
  const packed = packages.map((name) => join(root, 'dist', name))
  const { stdout } = await execute('npm', ['pack', '--json', ...packed], { cwd: folder })
  const tarballs = Object.values(JSON.parse(stdout) as { filename: string }[])
  await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}')
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  await execute('npm', [...install, ...tarballs.map(({ filename }) => join(folder, filename))], {
    cwd: folder,
  })
}, 180_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

test('the command tells its version', async () => {
  const { stdout } = await porthouse('--version')
  expect(stdout.trim()).toMatch(/^(porthouse )?0\.\d+\.\d+/)
})

test('the conformance suite comes with its cases', async () => {
  const { stdout } = await execute(join(folder, 'node_modules/.bin/porthouse-conformance'), [
    '--list',
  ])
  expect(stdout).toContain('receipts/void/websocket\n')
  expect(stdout).toContain('client-handshake/')
})

test('the command prints its settings', async () => {
  const { stdout } = await porthouse('config')
  expect(stdout).toContain('127.0.0.1:8080')
})

test('its types serve a program that is checked strictly', async () => {
  await writeFile(
    join(folder, 'program.ts'),
    `import { connect, type Receipt } from '@porthouse/client'
     import { sshAgent, sshKeyFile } from '@porthouse/client/node'
     import { Code } from '@porthouse/proto/v1/code'
     import { createGateway } from 'porthouse'
     import { defineRoom } from 'porthouse/room'
     export default defineRoom({ message: ({ text }, socket) => text !== socket.address })
     export const receipt: Promise<Receipt> | undefined = undefined
     export const all = [connect, createGateway, Code.INTERNAL, sshAgent, sshKeyFile]`,
  )
  const flags = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024']
  const types = ['--typeRoots', join(root, 'node_modules/@types'), '--types', 'node']
  await execute(
    join(root, 'node_modules/.bin/tsc'),
    [
      ...flags,
      ...types,
      '--lib',
      'es2024,dom,dom.iterable,esnext.disposable',
      '--skipLibCheck',
      'program.ts',
    ],
    { cwd: folder },
  ).catch(({ stdout }) => expect.fail(stdout))
})

test('an installed gateway serves what the README shows', async () => {
  const data = join(folder, 'data')
  const ports = ['--http', '127.0.0.1:0', '--mqtt', '127.0.0.1:0']
  const flags = [...ports, '--data', data, '--log', 'silent', '--demo']
  const gateway = spawn(command(), ['run', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  let program: ChildProcess | undefined
  // Also where the test has run out of time: a child that lives would keep the whole run waiting.
  onTestFinished(() => {
    program?.kill('SIGKILL')
    gateway.kill('SIGKILL')
  })
  try {
    const url = await listening(gateway.stdout)
    const token = await createToken(data)
    const source = (await sample('ts')).replace('ws://127.0.0.1:8080', url)
    await writeFile(join(folder, 'hello.js'), source)
    program = spawn('node', ['hello.js'], {
      cwd: folder,
      env: { ...process.env, PORTHOUSE_TOKEN: token },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: program.stdout as Readable })[Symbol.asyncIterator]()
    expect((await lines.next()).value).toBe('VOID 0')

    const packet = (await sample('json')).replace('...the token...', token)
    const socket = new WebSocket(`${url}/v1/ws`, 'porthouse.v1.json')
    socket.onopen = () => socket.send(packet)
    expect((await lines.next()).value).toMatch(/^socket:\w+ hello$/)
    socket.close()
  } finally {
    program?.kill()
    gateway.kill('SIGTERM')
    await once(gateway, 'exit')
  }
  expect(gateway.exitCode).toBe(0)
})

test('a page has the whole client, also where its network fails', async () => {
  const gateway = await TestGateway.start()
  onTestFinished(() => gateway.stop())
  const prompted = { acceptor: 'tty', options: { prompts: [{ text: 'The word:', any: true }] } }
  const flow = { kind: { case: 'lock', value: prompted } }
  await gateway.room('demo/door', [{ case: 'access', value: { locks: [], flow } as never }])
  await gateway.room('demo/board', [{ case: 'history', value: { keep: Keep.DURABLE } } as never])
  const token = await gateway.token('demo', ['board'], { client: 'anna' })
  await using bob = await connect(gateway.url, { token: await gateway.token('demo', ['board']) })

  await using network = await Relay.to(gateway.port)
  await using pages = await WebPages.start()
  const program = await readFile(join(import.meta.dirname, 'page.ts'), 'utf8')
  const url = `ws://127.0.0.1:${network.port}`
  const page = await pages.open(await bundle(program, folder), { url, token })
  await shows(page, 'kept: from a page')
  await bob.send('demo/board', 'live')
  await shows(page, 'heard: live')
  network.cut()
  await bob.send('demo/board', 'missed')
  network.mend()
  await shows(page, 'heard: missed')
  await bob.send('demo/board', 'goodbye')
  await shows(page, 'closed')
  expect((await page.textContent('body'))?.trim().split('\n')).toEqual([
    'a wrong token: UNAUTHENTICATED',
    'asked: The word:',
    'in room:demo/door',
    'an unknown room: ROOM_UNKNOWN',
    'STORED 1',
    'kept: from a page',
    'heard: live',
    // It keeps nothing, so what was missed there is not known.
    'back in room:demo/door: false',
    'back in room:demo/board: true',
    'heard: missed',
    'heard: goodbye',
    'closed: CLOSED',
  ])
  expect(pages.faults).toEqual([])
})

/** The README's first sample in a language. */
async function sample(language: string): Promise<string> {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const block = new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 's').exec(readme)
  return block?.[1] ?? expect.fail(`the README has no sample in ${language}`)
}

function command(): string {
  return join(folder, 'node_modules/.bin/porthouse')
}

function porthouse(...args: string[]): Promise<{ stdout: string }> {
  return execute(command(), args, { cwd: folder })
}

async function createToken(data: string): Promise<string> {
  const flags = ['--room', 'hello:send,receive', '--data', data, '--json']
  const { stdout } = await porthouse('token', 'create', 'demo', ...flags)
  return (JSON.parse(stdout) as { secret: string }).secret
}

/** The WebSocket address in the line that the gateway prints once it listens. */
async function listening(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const url = /ws:\/\/[\w.:[\]]+/.exec(line)
    if (url) return url[0]
  }
  throw new Error('the gateway ended before it listened')
}
