import { createConnection } from 'node:net'
import { PorthouseError } from '../error.ts'
import { sshStrings } from '../login-message.ts'
import { SshReader } from './ssh-reader.ts'

/** The part of the SSH agent protocol (RFC 9987) that a client needs: which keys, and sign. */

const FAILURE = 5
const REQUEST_IDENTITIES = 11
const IDENTITIES_ANSWER = 12
const SIGN_REQUEST = 13
const SIGN_RESPONSE = 14
/** An RSA key signs with SHA-512, never with SHA-1. */
const RSA_SHA2_512 = 4

/** What OpenSSH's own agent takes and gives at most. */
const MESSAGE_BYTES_MAX = 256 * 1024
const KEYS_MAX = 2048
/** An agent may ask its person before it signs; the lock's deadline bounds that. */
const LIST_MS = 10_000

export interface Identity {
  /** Public key as SSH writes it. */
  readonly key: Buffer
  readonly comment: string
}

/** Rejects with UNAUTHENTICATED where there is no agent, or none that keeps to the protocol. */
export async function identitiesOf(socket: string): Promise<Identity[]> {
  const signal = AbortSignal.timeout(LIST_MS)
  const answer = await ask(socket, Buffer.of(REQUEST_IDENTITIES), IDENTITIES_ANSWER, signal)
  return read(() => {
    const count = answer.uint32()
    if (count > KEYS_MAX) throw fault('it holds too many keys')
    return Array.from({ length: count }, () => {
      const key = answer.string()
      return { key, comment: answer.string().toString() }
    })
  })
}

/** The signature as SSH writes it. Rejects with UNAUTHENTICATED where the agent will not. */
export async function signBy(
  socket: string,
  key: Uint8Array,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<Buffer> {
  const flags = Buffer.of(0, 0, 0, RSA_SHA2_512)
  const request = Buffer.concat([Buffer.of(SIGN_REQUEST), sshStrings(key, bytes), flags])
  const answer = await ask(socket, request, SIGN_RESPONSE, signal)
  return read(() => answer.string())
}

function read<T>(parts: () => T): T {
  try {
    return parts()
  } catch (error) {
    if (error instanceof PorthouseError) throw error
    throw fault('its answer is cut short', error)
  }
}

/** One question on a connection of its own. */
async function ask(
  socket: string,
  request: Buffer,
  expected: number,
  signal: AbortSignal,
): Promise<SshReader> {
  const answer = await exchange(socket, request, signal)
  const [type] = answer
  if (type === FAILURE) throw fault('it refuses')
  if (type !== expected) throw fault(`it answers with message ${type}`)
  return new SshReader(answer.subarray(1))
}

async function exchange(socket: string, request: Buffer, signal: AbortSignal): Promise<Buffer> {
  signal.throwIfAborted()
  const connection = createConnection(socket)
  const abort = () => connection.destroy(fault('it does not answer', signal.reason))
  signal.addEventListener('abort', abort)
  try {
    connection.write(sshStrings(request))
    let received = Buffer.alloc(0)
    for await (const chunk of connection) {
      received = Buffer.concat([received, chunk as Buffer])
      if (received.length < 4) continue
      const length = received.readUInt32BE()
      if (length === 0 || length > MESSAGE_BYTES_MAX) throw fault('its answer has no proper length')
      if (received.length >= 4 + length) return received.subarray(4, 4 + length)
    }
  } catch (error) {
    if (error instanceof PorthouseError) throw error
    throw fault(error instanceof Error ? error.message : '', error)
  } finally {
    signal.removeEventListener('abort', abort)
    connection.destroy()
  }
  throw fault('it ends before it has answered')
}

function fault(why: string, cause?: unknown): PorthouseError {
  return new PorthouseError('UNAUTHENTICATED', {
    detail: `No help from the SSH agent: ${why}`,
    cause,
  })
}
