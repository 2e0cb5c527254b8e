/** Key files and answers of an agent, some of their bytes changed: read, or refused. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sshStrings } from '../../../clients/ts/src/login-message.ts'
import { identitiesOf, signBy } from '../../../clients/ts/src/node/agent-protocol.ts'
import { readOpensshKey } from '../../../clients/ts/src/node/openssh-key.ts'
import { SshKeygen } from '../../support/ssh-keygen.ts'
import { changedBytes } from './changed-bytes.ts'

let keygen: SshKeygen
let server: Server
let socket: string
let answer: Uint8Array

beforeAll(async () => {
  keygen = new SshKeygen()
  socket = join(keygen.folder, 'agent')
  server = createServer((connection) => {
    connection.on('error', () => {})
    connection.once('data', () => connection.end(answer))
  })
  await once(server.listen(socket), 'listening')
})
afterAll(() => {
  server?.close()
  keygen?.[Symbol.dispose]()
})

test('a private key in the format of OpenSSH', () => {
  const kinds = [['ed25519'], ['ecdsa', '-b', '521'], ['rsa', '-b', '2048']] as const
  const files = kinds.map(([kind, ...options]) => {
    const lines = readFileSync(keygen.make(kind, ...options).file, 'utf8')
      .trim()
      .split('\n')
    return Buffer.from(lines.slice(1, -1).join(''), 'base64')
  })
  fc.assert(
    fc.property(changedBytes(files), (bytes) => {
      const body = Buffer.from(bytes).toString('base64')
      const name = 'OPENSSH PRIVATE KEY'
      try {
        const key = readOpensshKey(`-----BEGIN ${name}-----\n${body}\n-----END ${name}-----`, 'x')
        expect(key.type).toBe('private')
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }),
    { numRuns: 1000 },
  )
})

test('the answers of an agent', async () => {
  const key = sshStrings('ssh-ed25519', Buffer.alloc(32, 7))
  const identities = [Buffer.of(12, 0, 0, 0, 2), sshStrings(key, 'one', key, 'two')]
  const signature = [Buffer.of(14), sshStrings(sshStrings('ssh-ed25519', Buffer.alloc(64, 7)))]
  const seeds = [identities, signature].map((parts) => sshStrings(Buffer.concat(parts)))
  await fc.assert(
    fc.asyncProperty(changedBytes(seeds), async (bytes) => {
      answer = bytes
      const { signal } = new AbortController()
      for (const asking of [identitiesOf(socket), signBy(socket, key, key, signal)]) {
        const told = await asking.catch((error: unknown) => error)
        if (told instanceof Error) expect(told).toMatchObject({ code: 'UNAUTHENTICATED' })
      }
    }),
    { numRuns: 300 },
  )
})
