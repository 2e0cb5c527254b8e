/** The client commands as somebody: by SSH key, agent, password and connection key. */
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '@bufbuild/protobuf'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { newConnectionKey } from '../../gateway/identity/connection-keys.ts'
import { newPassword } from '../../gateway/identity/passwords.ts'
import { readPublicKeyLine } from '../../gateway/identity/ssh-public-key.ts'
import type { CredentialKind } from '../../gateway/store/store.ts'
import { TestGateway } from '../support/gateway.ts'
import { type KeyPair, SshKeygen } from '../support/ssh-keygen.ts'
import { bin, json, porthouse, Running, type RunOptions } from './process.ts'

const PASSWORD = '7 Äpfel'

let hub: TestGateway
let keygen: SshKeygen
let key: KeyPair
let connectionKey: string
let at: RunOptions

beforeAll(async () => {
  hub = await TestGateway.start()
  keygen = new SshKeygen()
  key = keygen.make('ed25519')
  const lock = (acceptor: string) => ({ kind: { case: 'lock', value: { acceptor } } })
  for (const acceptor of ['identity', 'ssh-key', 'password', 'key']) {
    const value = { locks: [], flow: lock(acceptor) } as never
    await hub.room(`acme/by-${acceptor}`, [{ case: 'access', value }])
  }
  await hub.room('acme/yard', [{ case: 'access', value: { locks: [] } as never }])
  const rooms = ['by-identity', 'by-ssh-key', 'by-password', 'by-key']
  const grants = rooms.map((room) => ({ room, send: true, receive: true }))
  await hub.store.clients.create({ account: 'acme', slug: 'anna', grants })
  await credential('ssh-key', readPublicKeyLine(key.line).data)
  await credential('password', await newPassword(PASSWORD, randomBytes(16)))
  const id = randomUUID()
  const made = newConnectionKey(id, randomBytes(32), randomBytes(16))
  const owner = { id, kind: 'connection-key', account: 'acme', label: '' } as const
  await hub.store.credentials.add({ ...owner, data: { ...made.data } })
  connectionKey = made.secret
  at = { env: { PORTHOUSE_URL: hub.url } }
}, 60_000)
afterAll(async () => {
  keygen?.[Symbol.dispose]()
  await hub?.stop()
})

async function credential(kind: CredentialKind, data: object): Promise<void> {
  const facts = { id: randomUUID(), kind, account: 'acme', client: 'anna', label: '' }
  await hub.store.credentials.add({ ...facts, data: data as JsonObject })
}

const withEnv = (env: Record<string, string>): RunOptions => ({ env: { ...at.env, ...env } })

describe('as a client', () => {
  it('by its SSH key, sends, listens and connects under its name', async () => {
    const as = ['--as', 'anna', '--ssh-key', key.file]
    const args = ['listen', 'acme/by-identity', ...as, '--json', '--count', '1']
    const listening = new Running(args, at)
    await listening.says('listening', 'stderr')
    const sent = await json<{ status: string }>(['send', 'acme/by-identity', 'hi', ...as], at)
    expect(sent.status).toBe('ROUTED')
    const heard = JSON.parse((await listening.ended).stdout)
    expect(heard).toMatchObject({ text: 'hi', from: 'client:acme/anna' })
    const { code, stderr } = await porthouse(['connect', 'acme/by-ssh-key', ...as], at)
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'connected to room:acme/by-ssh-key as client:acme/anna\n',
    })
  })

  it('by name and account, in a room that asks for nothing', async () => {
    const as = ['--as', 'acme/anna', '--ssh-key', key.file]
    const talking = await porthouse(['connect', 'acme/yard', ...as], at)
    expect(talking.stderr).toContain('as client:acme/anna')
  })

  it('by a key that an agent holds, named by its public half', async () => {
    const socket = join(keygen.folder, 'agent')
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] })
    onTestFinished(() => void agent.kill())
    await once(agent.stdout, 'data')
    const env = { ...process.env, SSH_AUTH_SOCK: socket }
    for (const { file } of [keygen.make('ecdsa'), key])
      execFileSync('ssh-add', ['-q', file], { env })
    const args = ['send', 'acme/by-ssh-key', 'hi', '--as', 'anna', '--ssh-agent']
    const with_ = withEnv({ SSH_AUTH_SOCK: socket })
    expect((await json<{ status: string }>(args, with_)).status).toBe('VOID')
    const named = [...args, '--ssh-key', `${key.file}.pub`]
    expect((await json<{ status: string }>(named, with_)).status).toBe('VOID')
    agent.kill()
    await once(agent, 'exit')
    const gone = await porthouse([...args, '--json'], with_)
    expect(gone.code).toBe(3)
    expect(JSON.parse(gone.stderr).error).toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining('No help from the SSH agent'),
    })
  })

  it('by its password, from the environment', async () => {
    const args = ['send', 'acme/by-password', 'hi', '--as', 'anna', '--password']
    const right = withEnv({ PORTHOUSE_PASSWORD: PASSWORD })
    expect((await json<{ status: string }>(args, right)).status).toBe('VOID')
    const wrong = await porthouse(args, withEnv({ PORTHOUSE_PASSWORD: 'wrong' }))
    expect(wrong.code).toBe(3)
    expect(wrong.stderr).toMatch(/^porthouse: UNAUTHENTICATED: .*--ssh-key/)
    // Nobody is there to type it.
    expect((await porthouse(args, at)).code).toBe(3)
  })

  it('of another name than its key is refused', async () => {
    const args = ['send', 'acme/by-ssh-key', 'hi', '--as', 'bob', '--ssh-key', key.file]
    expect((await porthouse(args, at)).code).toBe(3)
  })
})

describe('as an account', () => {
  it('by its connection key, in a file or the environment', async () => {
    const file = join(keygen.folder, 'key')
    writeFileSync(file, `${connectionKey}\n`)
    const args = ['send', 'acme/by-key', 'hi']
    const byFile = await json<{ status: string }>([...args, '--key-file', file], at)
    expect(byFile.status).toBe('VOID')
    const byEnv = await json<{ status: string }>(args, withEnv({ PORTHOUSE_KEY: connectionKey }))
    expect(byEnv.status).toBe('VOID')
  })
})

it('an account talks to itself in its lobby', async () => {
  const options = { ...withEnv({ PORTHOUSE_KEY: connectionKey }), input: 'anybody?\n' }
  for (const address of ['lobby:acme', `${hub.url}/user/acme/`]) {
    const { code, stdout, stderr } = await porthouse(['connect', address], options)
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('lobby:acme'),
    })
    expect(stdout).toContain('anybody?')
  }
  const sent = await json<{ status: string }>(['send', 'lobby:acme', 'hi'], options)
  expect(sent.status).toBe('ROUTED')
})

describe('what does not add up', () => {
  it.each([
    [['--ssh-key', 'x'], '--ssh-key proves a client: name it by --as CLIENT'],
    [['--ssh-agent'], '--ssh-agent proves a client'],
    [['--password'], '--password proves a client'],
    [['--as', 'anna'], '--as client:acme/anna is proved by --ssh-key FILE'],
    [['--as', 'Anna!', '--password'], 'Anna!'],
    [['--as', 'a/b/c', '--password'], 'ACCOUNT/CLIENT'],
    [['--key-file', '/nowhere'], '/nowhere cannot be read'],
  ])('%j is wrong usage', async (args, message) => {
    const { code, stderr } = await porthouse(['send', 'acme/yard', 'hi', ...args], at)
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  })

  it('a file that is no connection key is told without its content', async () => {
    const file = join(keygen.folder, 'no-key')
    writeFileSync(file, 'phk_nearly')
    const args = ['send', 'acme/yard', 'hi', '--key-file', file]
    const { code, stderr } = await porthouse(args, at)
    expect(code).toBe(2)
    expect(stderr).toContain('starts with phk_')
    expect(stderr).not.toContain('nearly')
  })

  it('a client at a socket is of no account that is known', async () => {
    const args = ['send', 'socket:aaaaaaaaaaaaaaaa', 'hi', '--as', 'anna', '--password']
    const { code, stderr } = await porthouse(args, at)
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'porthouse: anna is a client of which account? Write --as ACCOUNT/CLIENT\n',
    })
  })
})

/** A command at a terminal of its own, which `script` makes. */
function atTerminal(...args: string[]): Running {
  const line = [bin, ...args].map((word) => `'${word}'`).join(' ')
  return new Running(['-qec', line, '/dev/null'], { ...at, command: 'script' })
}

/** Types a line once the terminal has shown a prompt for the nth time. */
async function type(talking: Running, prompt: string, text: string, nth = 1): Promise<void> {
  await talking.says(new RegExp(`(${prompt}[\\s\\S]*){${nth}}`))
  talking.process.stdin.write(`${text}\r`)
}

const END = '\u0004'

describe('a person at a terminal', () => {
  it('types what the room asks for, unseen, and may be wrong', async () => {
    const talking = atTerminal('connect', 'acme/by-password')
    await type(talking, 'Client: ', 'anna')
    await type(talking, 'Password: ', 'wrong one')
    await talking.says('that was wrong; 2 left')
    await type(talking, 'Client: ', 'anna', 2)
    await type(talking, 'Password: ', PASSWORD, 2)
    await talking.says('connected to room:acme/by-password')
    await type(talking, '> ', 'good morning')
    const shown = await talking.says('VOID')
    expect(shown).toContain('anna')
    for (const secret of ['wrong one', PASSWORD]) expect(shown).not.toContain(secret)
    talking.process.stdin.write(END)
    expect((await talking.ended).code).toBe(0)
  })

  it('may give up', async () => {
    const talking = atTerminal('connect', 'acme/by-password')
    await talking.says('Client: ')
    talking.process.stdin.write(END)
    const { code, stdout } = await talking.ended
    expect(code).toBe(3)
    expect(stdout).toContain('UNAUTHENTICATED: room:acme/by-password asks for password')
  })

  it('is asked for the passphrase of his key', async () => {
    const sealed = join(keygen.folder, 'sealed')
    execFileSync('cp', [key.file, sealed])
    keygen.run('-q', '-p', '-P', '', '-N', 'open, sesame', '-f', sealed)
    const talking = atTerminal('connect', 'acme/by-ssh-key', '--as', 'anna', '--ssh-key', sealed)
    await type(talking, 'Passphrase of ', 'open, sesame')
    expect(await talking.says('connected to room:acme/by-ssh-key')).not.toContain('open, sesame')
    // From here on the terminal hands over each key.
    await talking.says('> ')
    talking.process.stdin.write(END)
    expect((await talking.ended).code).toBe(0)
  })
})

describe('--trace', () => {
  it('shows a nested flow unwind in one cycle, and no secret', async () => {
    const args = ['connect', 'acme/by-identity', '--as', 'anna', '--ssh-key', key.file, '--trace']
    const { code, stderr } = await porthouse(args, at)
    expect(code).toBe(0)
    const lines = stderr
      .slice(0, stderr.indexOf('connected to'))
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/ #\d+/, '').replace(/(lock|socket):\S+/, '$1'))
    const unwound = lines.findLastIndex((line) => line.includes('packet of'))
    expect(lines.slice(unwound)).toEqual([
      expect.stringMatching(/^← packet of 4 frames, \d+ bytes$/),
      '←   verdict lock PASSED client=client:acme/anna',
      '←   verdict lock PASSED client=client:acme/anna',
      expect.stringMatching(/^← {3}resume \*\*\* good for \d+ ms$/),
      expect.stringMatching(/^← {3}joined room:acme\/by-identity route \d+ may send listening$/),
    ])
    const asked = 'ssh-key or token or key for room:acme/by-identity depth 2 tries 3'
    const said = lines.slice(0, unwound).filter((line) => !line.includes('packet of'))
    expect(said.toSorted()).toEqual([
      expect.stringMatching(new RegExp(`^← {3}challenge lock ${asked} \\d+ ms nonce of 32 bytes$`)),
      '←   welcome socket resume events',
      expect.stringMatching(/^→ {3}answer lock ssh-key signature of client:acme\/anna .* \*\*\*$/),
      expect.stringMatching(/^→ {3}hello porthouse-ts\/\S+ resume events$/),
    ])
    expect(said.at(-1)).toContain('answer')
  })

  it('hides tokens, passwords and resume tokens', async () => {
    const secret = await hub.token('acme', ['yard'])
    const args = ['connect', 'acme/yard', '--token', secret, '--trace']
    const { stderr } = await porthouse(args, { ...at, input: 'my words\n' })
    expect(stderr).toContain('token text ***')
    expect(stderr).toMatch(/resume \*\*\* good for \d+ ms/)
    expect(stderr).toContain('text of 8 bytes')
    expect(stderr).toMatch(/receipt #\d+ VOID/)
    for (const hidden of [secret, 'my words']) expect(stderr).not.toContain(hidden)
    const byPassword = ['connect', 'acme/by-password', '--as', 'anna', '--password', '--trace']
    const typed = await porthouse(byPassword, withEnv({ PORTHOUSE_PASSWORD: PASSWORD }))
    expect(typed.stderr).toContain('responses ***, ***')
    expect(typed.stderr).not.toContain(PASSWORD)
    const byKey = await porthouse(['connect', 'acme/by-key', '--trace'], {
      env: { ...at.env, PORTHOUSE_KEY: connectionKey },
    })
    expect(byKey.stderr).toContain('scram proof ***')
    expect(byKey.stderr).toContain('server_signature=***')
  })
})
