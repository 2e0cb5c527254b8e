/** SSH keys of files and agents: those of OpenSSH itself, and agents that misbehave. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { AnswerContext, Answerer, Challenge } from '../../clients/ts/src/index.ts'
import type { SignatureResponse } from '../../clients/ts/src/lock-step.ts'
import { loginMessage } from '../../clients/ts/src/login-message.ts'
import { sshAgent, sshKeyFile } from '../../clients/ts/src/node/index.ts'
import { isSignatureOf, readSshSignature } from '../../gateway/identity/ssh-signature.ts'
import { type KeyPair, SshKeygen } from '../support/ssh-keygen.ts'

const SOCKET = 'socket:aaaaaaaaaaaaaaaa'
const GATEWAY = 'https://hub.example'
const PLACE = 'room:acme/boiler'
const PASSPHRASE = 'ört of it'

let keygen: SshKeygen
let anna: KeyPair
beforeAll(() => {
  keygen = new SshKeygen()
  anna = keygen.make('ed25519')
})
afterAll(() => keygen[Symbol.dispose]())

let rounds = 0

/** Has it answer a challenge of its own nonce. */
async function asked(answerer: Answerer, attempt = 1) {
  const nonce = new Uint8Array(32).fill(++rounds)
  const ask = { kind: 'nonce' as const, nonce, socket: SOCKET }
  const facts = { lock: `lock:${rounds}`, acceptor: 'ssh-key', place: PLACE, depth: 1 }
  const challenge: Challenge = { ...facts, triesLeft: 3, deadlineMs: 9000, others: [], ask }
  const { signal } = new AbortController()
  const context: AnswerContext = { gateway: GATEWAY, socket: SOCKET, attempt, signal }
  const response = (await answerer.answer(challenge, context)) as SignatureResponse | undefined
  const client = 'client:acme/anna'
  const login = { gateway: GATEWAY, socket: SOCKET, nonce, client, place: PLACE }
  return { response, message: loginMessage(login) }
}

/** Has the gateway's own code and ssh-keygen look at the signature; who made it, as a .pub line. */
async function verified(answerer: Answerer, { line }: KeyPair): Promise<void> {
  const { response, message } = await asked(answerer)
  expect(response).toMatchObject({ client: 'client:acme/anna', gateway: GATEWAY })
  const signature = readSshSignature(response!.signature)
  expect(line).toContain(signature.signer.blob.toString('base64'))
  expect(await isSignatureOf(signature, message)).toBe(true)
  const armoured = Buffer.from(response!.signature).toString('base64')
  const [file, allowed] = ['sig', 'allowed'].map((name) => join(keygen.folder, name))
  const [begin, end] = ['BEGIN', 'END'].map((word) => `-----${word} SSH SIGNATURE-----\n`)
  writeFileSync(file!, `${begin}${armoured.replace(/.{70}/g, '$&\n')}\n${end}`)
  writeFileSync(allowed!, `anna ${line}`)
  const options = [
    '-Y',
    'verify',
    '-q',
    '-n',
    'porthouse',
    '-I',
    'anna',
    '-s',
    file!,
    '-f',
    allowed!,
  ]
  execFileSync('ssh-keygen', options, { input: message, stdio: ['pipe', 'pipe', 'pipe'] })
}

const ofFile = ({ file }: KeyPair, passphrase?: string | (() => Promise<string | undefined>)) =>
  sshKeyFile({ client: 'acme/anna', path: file, passphrase })

describe('a key file', () => {
  test.each([
    ['Ed25519', 'ed25519', []],
    ['ECDSA of 256 bits', 'ecdsa', ['-b', '256']],
    ['ECDSA of 384 bits', 'ecdsa', ['-b', '384']],
    ['ECDSA of 521 bits', 'ecdsa', ['-b', '521']],
    ['RSA', 'rsa', ['-b', '2048']],
    ['RSA in PKCS #1', 'rsa', ['-b', '2048', '-m', 'PEM']],
    ['RSA in PKCS #8', 'rsa', ['-b', '2048', '-m', 'PKCS8']],
    ['ECDSA in SEC 1', 'ecdsa', ['-m', 'PEM']],
  ])('of %s', async (_, kind, options) => {
    const key = keygen.make(kind, ...options)
    const answerer = ofFile(key)
    // Numbers of an ECDSA signature are shorter now and then.
    for (let time = 0; time < 3; time++) await verified(answerer, key)
  })

  test.each([
    ['bcrypt', 'ed25519', []],
    ['bcrypt, an ECDSA key', 'ecdsa', []],
    ['bcrypt and AES-CBC', 'ed25519', ['-Z', 'aes256-cbc']],
    ['bcrypt and AES-GCM', 'ed25519', ['-Z', 'aes256-gcm@openssh.com']],
    ['PKCS #8', 'rsa', ['-b', '2048', '-m', 'PKCS8']],
    ['the old PEM', 'rsa', ['-b', '2048', '-m', 'PEM']],
  ])(
    'that is encrypted by %s asks for its passphrase, once',
    async (_, kind, options) => {
      const key = keygen.make(kind, ...options)
      const format = options[0] === '-b' ? options.slice(2) : options
      keygen.run('-q', '-p', '-P', '', '-N', PASSPHRASE, '-f', key.file, ...format)
      let times = 0
      const answerer = ofFile(key, async () => {
        times++
        return PASSPHRASE
      })
      await verified(answerer, key)
      await verified(answerer, key)
      expect(times).toBe(1)
      await verified(ofFile(key, PASSPHRASE), key)
      for (const wrong of [undefined, 'wrong', async () => undefined]) {
        const refused = { code: 'UNAUTHENTICATED', message: expect.stringContaining(key.file) }
        const failed = await asked(ofFile(key, wrong)).catch((error) => error)
        expect(failed).toMatchObject(refused)
        expect(failed.message).not.toContain(PASSPHRASE)
      }
    },
    30_000,
  )

  test('that is no key, is not there, or is a public one is told as that', async () => {
    const odd = join(keygen.folder, 'odd')
    const damaged = readFileSync(anna.file, 'utf8').replace(/\n[^-]{20}/, '\nAAAA')
    for (const content of ['', 'nonsense', 'x'.repeat(100_000), anna.line, damaged]) {
      writeFileSync(odd, content)
      await expect(asked(sshKeyFile({ client: 'acme/anna', path: odd }))).rejects.toMatchObject({
        code: 'UNAUTHENTICATED',
      })
    }
    const path = join(keygen.folder, 'nowhere')
    await expect(asked(sshKeyFile({ client: 'acme/anna', path }))).rejects.toThrow('ENOENT')
  })

  test('that is damaged anywhere is told as that, and ends nothing else', async () => {
    const odd = join(keygen.folder, 'odd')
    const sealed = keygen.make('ed25519')
    const seal = ['-Z', 'aes256-cbc', '-a', '1', '-N', PASSPHRASE]
    keygen.run('-q', '-p', '-P', '', ...seal, '-f', sealed.file)
    const files = [anna, sealed].map(({ file }) => {
      const [begin, ...lines] = readFileSync(file, 'utf8').trim().split('\n')
      return { begin, body: Buffer.from(lines.slice(0, -1).join(''), 'base64'), end: lines.at(-1) }
    })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async ({ begin, body, end }, at, by, cut) => {
          const bytes = Buffer.from(cut ? body.subarray(0, at % body.length) : body)
          if (!cut) bytes[at % body.length]! ^= by
          writeFileSync(odd, [begin, bytes.toString('base64'), end].join('\n'))
          const answerer = sshKeyFile({ client: 'acme/anna', path: odd, passphrase: PASSPHRASE })
          const result = await asked(answerer).catch((error) => error)
          // Its comment, for instance, may be anything.
          if (result instanceof Error) expect(result.name).toBe('PorthouseError')
        },
      ),
      { numRuns: 100 },
    )
  }, 60_000)

  test('is read again once it was mended', async () => {
    const path = join(keygen.folder, 'mended')
    const answerer = sshKeyFile({ client: 'acme/anna', path })
    await expect(asked(answerer)).rejects.toThrow(path)
    execFileSync('cp', [anna.file, path])
    chmodSync(path, 0o600)
    await verified(answerer, anna)
  })
})

describe('an agent', () => {
  let agent: ChildProcess | undefined
  let socket: string
  afterEach(async () => {
    if (agent?.kill()) await once(agent, 'exit')
    agent = undefined
  })

  async function start(...keys: KeyPair[]): Promise<void> {
    socket = join(keygen.folder, `agent${++rounds}`)
    agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] })
    await once(agent.stdout!, 'data')
    const env = { ...process.env, SSH_AUTH_SOCK: socket }
    for (const { file } of keys) execFileSync('ssh-add', ['-q', file], { env })
  }

  test.each(['ed25519', 'ecdsa', 'rsa'])('signs with %s', async (kind) => {
    const key = keygen.make(kind)
    await start(key)
    await verified(sshAgent({ client: 'acme/anna', socket }), key)
  })

  test('offers its keys one after the other, and then none', async () => {
    const [one, two] = [keygen.make('ed25519'), keygen.make('ecdsa')]
    await start(one, two)
    const answerer = sshAgent({ client: 'acme/anna', socket })
    const signers: string[] = []
    for (const attempt of [1, 2]) {
      const { response } = await asked(answerer, attempt)
      signers.push(readSshSignature(response!.signature).signer.blob.toString('base64'))
    }
    expect([one, two].map(({ line }) => line.split(' ')[1])).toEqual(signers)
    expect((await asked(answerer, 3)).response).toBeUndefined()
  })

  test('uses the one that is named, by line, fingerprint or comment', async () => {
    const other = keygen.make('ed25519')
    const bob = keygen.make('ed25519', '-C', 'bob')
    await start(other, bob)
    const listed = execFileSync('ssh-keygen', ['-l', '-f', `${bob.file}.pub`]).toString()
    for (const key of [bob.line, listed.split(' ')[1]!, 'bob']) {
      await verified(sshAgent({ client: 'acme/anna', socket, key }), bob)
    }
    const missing = sshAgent({ client: 'acme/anna', socket, key: anna.line })
    await expect(asked(missing)).rejects.toThrow('the SSH agent holds no key ssh-ed25519')
  })

  test('without a key, or that is not there, is told as that', async () => {
    await start()
    await expect(asked(sshAgent({ client: 'acme/anna', socket }))).rejects.toThrow('holds no key')
    const nowhere = join(keygen.folder, 'nowhere')
    const absent = sshAgent({ client: 'acme/anna', socket: nowhere })
    await expect(asked(absent)).rejects.toThrow('No help from the SSH agent')
    const before = process.env.SSH_AUTH_SOCK
    delete process.env.SSH_AUTH_SOCK
    await expect(asked(sshAgent({ client: 'acme/anna' }))).rejects.toThrow('is not set')
    if (before !== undefined) process.env.SSH_AUTH_SOCK = before
  })
})

describe('an agent that misbehaves', () => {
  let server: Server | undefined
  afterEach(() => new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined))))

  async function pretend(answer: (connection: Socket) => void): Promise<string> {
    const path = join(keygen.folder, `false${++rounds}`)
    server = createServer((connection) => {
      connection.on('error', () => {})
      connection.once('data', () => answer(connection))
    })
    await once(server.listen(path), 'listening')
    return path
  }

  const from = (path: string) => asked(sshAgent({ client: 'acme/anna', socket: path }))
  const message = (hex: string) => Buffer.from(hex, 'hex')

  test.each([
    ['closes', ''],
    ['refuses', '0000000105'],
    ['cuts its answer short', '000000ff0c'],
    ['says a length of nothing', '00000000'],
    ['says a length beyond measure', 'ffffffff0c'],
    ['says 4 billion keys', '000000050cffffffff'],
    ['says more keys than it sends', '000000050c00000002'],
    ['says a key longer than its answer', '000000090c00000001ffffffff'],
    ['answers something else', '000000010e'],
  ])('%s', async (_, hex) => {
    const path = await pretend((connection) => connection.end(message(hex)))
    await expect(from(path)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining('No help from the SSH agent'),
    })
  })

  test('any bytes at all end in an error that is told', async () => {
    let noise: Uint8Array = new Uint8Array()
    const path = await pretend((connection) => connection.end(noise))
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (bytes) => {
        const length = Buffer.alloc(4)
        length.writeUInt32BE(bytes.length)
        for (const prefix of [[], [...length], [...length.fill(0, 0, 3), 12]]) {
          noise = Uint8Array.of(...prefix, ...bytes)
          await expect(from(path)).rejects.toMatchObject({ name: 'PorthouseError' })
        }
      }),
      { numRuns: 50 },
    )
  })

  test('does not keep a lock that is gone', async () => {
    const held: Socket[] = []
    const path = await pretend((connection) => held.push(connection))
    const gone = new AbortController()
    const { signal } = gone
    const { signBy } = await import('../../clients/ts/src/node/agent-protocol.ts')
    const signing = signBy(path, Buffer.alloc(4), Buffer.alloc(4), signal)
    await expect.poll(() => held.length).toBe(1)
    gone.abort()
    await expect(signing).rejects.toThrow('it does not answer')
  })
})
