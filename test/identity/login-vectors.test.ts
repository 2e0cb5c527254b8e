/** The golden logins in conformance/login, which clients of every language are held to. */
import { createPrivateKey, sign } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import {
  authMessage,
  checkProof,
  newConnectionKey,
  parseConnectionKey,
} from '../../gateway/identity/connection-keys.ts'
import { type LoginMessage, loginMessage } from '../../gateway/identity/login-message.ts'
import { readPublicKey, readPublicKeyLine } from '../../gateway/identity/ssh-public-key.ts'
import { isSignatureOf, readSshSignature, verifySsh } from '../../gateway/identity/ssh-signature.ts'
import { prove, signed } from '../support/key-login.ts'

type Login = Omit<LoginMessage, 'nonce'> & { readonly nonce: string }

interface SignatureCase {
  readonly login: Login
  readonly publicKey: string
  readonly signature: string
  readonly seed?: string
  readonly armoured?: string
}

interface KeyCase extends Omit<LoginMessage, 'nonce' | 'client'> {
  readonly secret: string
  readonly key: string
  readonly clientNonce: string
  readonly serverNonce: string
  readonly salt: string
  readonly iterations: number
  readonly message: string
  readonly storedKey: string
  readonly serverKey: string
  readonly proof: string
  readonly serverSignature: string
}

/** Before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410). */
const PKCS8 = '302e020100300506032b657004220420'

describe('messages', () => {
  test.each(cases<{ login: Login; message: string }>('message-*'))(
    '%s',
    (_, { login, message }) => {
      expect(messageOf(login).toString('hex')).toBe(message)
    },
  )
})

describe('plain signatures', () => {
  test.each(cases<SignatureCase>('*-raw'))('%s', async (_, { login, ...golden }) => {
    const message = messageOf(login)
    const key = publicKey(golden.publicKey)
    expect(await verifySsh(key, key.type, message, bytes(golden.signature))).toBe(true)
    const der = { key: bytes(PKCS8 + golden.seed), format: 'der', type: 'pkcs8' } as const
    expect(sign(null, message, createPrivateKey(der)).toString('hex')).toBe(golden.signature)
  })
})

describe('SSHSIGs', () => {
  test.each(cases<SignatureCase>('*-sshsig*'))('%s', async (_, { login, ...golden }) => {
    const forms = [bytes(golden.signature), ...(golden.armoured ? [bytesOf(golden.armoured)] : [])]
    for (const form of forms) {
      const signature = readSshSignature(form)
      expect(signature.signer.blob).toEqual(publicKey(golden.publicKey).blob)
      expect(await isSignatureOf(signature, messageOf(login))).toBe(true)
      expect(await isSignatureOf(signature, messageOf({ ...login, place: '' }))).toBe(false)
    }
  })
})

describe('connection keys', () => {
  test.each(cases<KeyCase>('key-*'))('%s', (_, golden) => {
    const { secret, key, gateway, socket, place, iterations } = golden
    const { id, random } = parseConnectionKey(secret)!
    expect(id).toBe(key)
    const [clientNonce, serverNonce] = [bytes(golden.clientNonce), bytes(golden.serverNonce)]
    const salt = bytes(golden.salt)
    const { data } = newConnectionKey(id, random, salt)
    expect(bytesOf(data.storedKey, 'base64').toString('hex')).toBe(golden.storedKey)
    expect(bytesOf(data.serverKey, 'base64').toString('hex')).toBe(golden.serverKey)
    const nonce = Buffer.concat([clientNonce, serverNonce])
    const login = { gateway, socket, nonce, client: key, place }
    const exchange = { login, salt, iterations }
    expect(authMessage(exchange).toString('hex')).toBe(golden.message)
    const answer = checkProof(data, exchange, bytes(golden.proof))
    expect(answer?.toString('hex')).toBe(golden.serverSignature)
    // The client's side, which shares no code with the gateway's.
    const shared = { gateway, socket, key, place, clientNonce, serverNonce, salt, iterations }
    expect(signed(shared).toString('hex')).toBe(golden.message)
    expect(prove(random, shared).proof.toString('hex')).toBe(golden.proof)
  })
})

function cases<Case>(pattern: string): [name: string, golden: Case][] {
  const cwd = fileURLToPath(new URL('../../conformance/login', import.meta.url))
  const found = globSync(`${pattern}.json`, { cwd }).toSorted()
  if (found.length === 0) throw new Error(`no golden ${pattern}`)
  return found.map((file) => [
    basename(file, '.json'),
    JSON.parse(readFileSync(`${cwd}/${file}`, 'utf8')),
  ])
}

function messageOf(login: Login): Buffer {
  return loginMessage({ ...login, nonce: bytes(login.nonce) })
}

function publicKey(line: string) {
  return readPublicKey(bytesOf(readPublicKeyLine(line).data.key, 'base64'))
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}

function bytesOf(text: string, encoding: 'utf8' | 'base64' = 'utf8'): Buffer {
  return Buffer.from(text, encoding)
}
