/**
 * What would be published, installed as a user would: packed, in a folder of its own, run by Node.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from './tidy/root.ts'

const execute = promisify(execFile)
const packages = ['proto', 'client', 'porthouse']

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

test('the command prints its settings', async () => {
  const { stdout } = await porthouse('config')
  expect(stdout).toContain('127.0.0.1:8080')
})

test('its types serve a program that is checked strictly', async () => {
  await writeFile(
    join(folder, 'program.ts'),
    `import { connect, type Receipt } from '@porthouse/client'
     import { Code } from '@porthouse/proto/v1/code'
     import { createGateway } from 'porthouse'
     export const receipt: Promise<Receipt> | undefined = undefined
     export const all = [connect, createGateway, Code.INTERNAL]`,
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

test('an installed gateway carries a message of an installed client', async () => {
  const data = join(folder, 'data')
  await mkdir(data)
  const flags = ['--http', '127.0.0.1:0', '--data', data, '--log', 'silent', '--demo']
  const gateway = spawn(command(), ['run', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const url = await listening(gateway.stdout)
    const token = await createToken(data)
    await writeFile(
      join(folder, 'hello.js'),
      `import { connect } from '@porthouse/client'
       const client = await connect('${url}', { token: '${token}' })
       const room = await client.join('demo/hello')
       console.log((await room.send('hello')).status)
       await client.close()`,
    )
    const { stdout } = await execute('node', ['hello.js'], { cwd: folder })
    expect(stdout.trim()).toBe('VOID')
  } finally {
    gateway.kill('SIGTERM')
    await once(gateway, 'exit')
  }
  expect(gateway.exitCode).toBe(0)
})

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
