/** The ways to log in that are measured, each from a connected socket to its verdict. */
import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  pbkdf2Sync,
  sign,
} from 'node:crypto'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { type Frame, FrameSchema } from '@porthouse/proto/v1/frame'
import { type Answer, type AnswerSchema, Outcome } from '@porthouse/proto/v1/lock_step'
import { authMessage, parseConnectionKey } from '../../gateway/identity/connection-keys.ts'
import { loginMessage } from '../../gateway/identity/login-message.ts'
import type { LoginSocket } from './socket.ts'

/** What the store holds for the logins, as the client knows it. */
export interface Secrets {
  readonly token: string
  /** `phk_…`. */
  readonly key: string
  /** PKCS #8 of an Ed25519 key, as PEM. */
  readonly sshKey: string
  /** `client:{account}/{client}`. */
  readonly client: string
}

export type Login = (socket: LoginSocket, gateway: string) => Promise<void>

/**
 * Of a bare server: `upgrade` sends nothing, `message` what a login by token would. `connect` sends
 * nothing to a gateway.
 */
export type Method = 'upgrade' | 'message' | 'connect' | 'token' | 'key' | 'ssh-key'

export function isBare(method: Method): boolean {
  return method === 'upgrade' || method === 'message'
}

export function loginBy(method: Method, secrets: Secrets): Login {
  switch (method) {
    case 'upgrade':
    case 'connect':
      return async () => {}
    case 'message':
      return byMessage(secrets)
    case 'token':
      return byToken(secrets)
    case 'key':
      return byKey(secrets)
    case 'ssh-key':
      return bySshKey(secrets)
  }
}

/** The line of an OpenSSH public key file. */
export function sshPublicKey(pem: string): string {
  const { x } = createPublicKey(createPrivateKey(pem)).export({ format: 'jwk' })
  const parts = [Buffer.from('ssh-ed25519'), Buffer.from(x!, 'base64url')]
  const blob = Buffer.concat(parts.flatMap((part) => [lengthOf(part), part]))
  return `ssh-ed25519 ${blob.toString('base64')} bench`
}

export function newSshKey(): string {
  const { privateKey } = generateKeyPairSync('ed25519')
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function lengthOf({ length }: Buffer): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  return bytes
}

/** Proves nothing: whatever the server answers will do. */
function byMessage({ token }: Secrets): Login {
  return async (socket) => {
    socket.send([HELLO, answer('token', { case: 'text', value: token })])
    await socket.message()
  }
}

function byToken({ token }: Secrets): Login {
  return async (socket) => {
    socket.send([HELLO, answer('token', { case: 'text', value: token })])
    passed(await socket.next())
  }
}

function bySshKey({ sshKey, client }: Secrets): Login {
  const key = createPrivateKey(sshKey)
  return async (socket, gateway) => {
    socket.send([HELLO, answer('ssh-key')])
    const ask = askOf(await socket.next())
    if (ask?.case !== 'nonce') throw new Error('no nonce')
    const message = loginMessage({ gateway, ...ask.value, client, place: '' })
    const signature = Uint8Array.from(sign(null, message, key))
    socket.send([answer('ssh-key', { case: 'signature', value: { client, gateway, signature } })])
    passed(await socket.next())
  }
}

function byKey({ key: secret }: Secrets): Login {
  const { id: key, random } = parseConnectionKey(secret)!
  const clientNonce = Buffer.alloc(32, 7)
  const start = { key, nonce: clientNonce }
  // PBKDF2 is the client's to pay, once a salt, and clients keep what comes of it.
  const salted = new Map<string, Buffer>()
  return async (socket, gateway) => {
    const value = { ...start, gateway }
    socket.send([HELLO, answer('key', { case: 'scramStart', value })])
    const ask = askOf(await socket.next())
    if (ask?.case !== 'scram') throw new Error('no SCRAM challenge')
    const { nonce, salt, iterations, socket: address } = ask.value
    const name = Buffer.from(salt).toString('base64')
    const password = salted.get(name) ?? pbkdf2Sync(random, salt, iterations, 32, 'sha256')
    salted.set(name, password)
    const both = Buffer.concat([clientNonce, nonce])
    const login = { gateway, socket: address, nonce: both, client: key, place: '' }
    const proof = proofOf(password, authMessage({ login, salt, iterations }))
    socket.send([answer('key', { case: 'scramProof', value: { proof } })])
    passed(await socket.next())
  }
}

/** RFC 5802: ClientKey XOR HMAC(H(ClientKey), AuthMessage). */
function proofOf(salted: Buffer, message: Buffer): Uint8Array<ArrayBuffer> {
  const key = createHmac('sha256', salted).update('Client Key').digest()
  const stored = createHash('sha256').update(key).digest()
  const signature = createHmac('sha256', stored).update(message).digest()
  return Uint8Array.from(key, (byte, i) => byte ^ signature[i]!)
}

const HELLO = create(FrameSchema, { id: 1, body: { case: 'hello', value: { agent: 'bench' } } })

type Response = Exclude<MessageInitShape<typeof AnswerSchema>, Answer>['response']

function answer(acceptor: string, response?: Response): Frame {
  const value = { acceptor, ...(response && { response }) }
  const step = { case: 'answer' as const, value }
  return create(FrameSchema, { id: 2, body: { case: 'lockStep', value: { step } } })
}

function stepOf(frames: readonly Frame[]) {
  const body = frames.map((frame) => frame.body).find((each) => each.case === 'lockStep')
  return body?.value.step
}

function askOf(frames: readonly Frame[]) {
  const step = stepOf(frames)
  return step?.case === 'challenge' ? step.value.ask : undefined
}

function passed(frames: readonly Frame[]): void {
  const step = stepOf(frames)
  if (step?.case === 'verdict' && step.value.outcome === Outcome.PASSED) return
  throw new Error(`not passed: ${step?.case}`)
}
