import type { AnswerContext, Answerer } from '../answerer.ts'
import { PorthouseError } from '../error.ts'
import type { Ask, Response } from '../lock-step.ts'
import { loginMessage, sshStrings } from '../login-message.ts'

/** `phk_`, the key's id as 32 hex digits, `_`, 32 random bytes as base64url. */
const SECRET =
  /^phk_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})_([\w-]{43})$/

const NONCE_BYTES = 32
const HASH_BYTES = 32
/** The least of RFC 7677, and what a phone still does in a blink. */
const ITERATIONS_MIN = 4096
const ITERATIONS_MAX = 100_000

type Bytes = Uint8Array<ArrayBuffer>

interface Exchange {
  readonly nonce: Bytes
  /** What the gateway must show to have known the key. */
  serverSignature?: Bytes
}

/**
 * An account's connection key, by SCRAM-SHA-256 (RFC 5802): the key never leaves this machine, and
 * the gateway proves in turn that it knows it. Throws UNAUTHENTICATED for what is no such key.
 */
export function connectionKey(secret: string): Answerer {
  const match = SECRET.exec(secret)
  if (!match) throw refused('not a connection key')
  const id = match.slice(1, 6).join('-')
  const random = fromBase64(match[6]!.replaceAll('-', '+').replaceAll('_', '/'))
  const exchanges = new WeakMap<AnswerContext, Exchange>()

  function start(context: AnswerContext): Response {
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
    exchanges.set(context, { nonce })
    return { key: id, nonce, gateway: context.gateway }
  }

  async function prove(ask: Ask, place: string, context: AnswerContext): Promise<Response> {
    const exchange = exchanges.get(context)
    if (ask.kind !== 'scram' || !exchange || exchange.serverSignature) {
      throw refused('the gateway does not keep to the exchange')
    }
    const { iterations, salt, socket } = ask
    if (socket !== context.socket) throw refused('the gateway asks to sign for another socket')
    if (iterations < ITERATIONS_MIN || iterations > ITERATIONS_MAX) {
      throw refused(`the gateway asks for ${iterations} rounds`)
    }
    const nonce = new Uint8Array([...exchange.nonce, ...ask.nonce])
    const { gateway } = context
    const login = loginMessage({ gateway, socket, nonce, client: id, place })
    const { proof, serverSignature } = await scram(random, login, { salt, iterations })
    exchange.serverSignature = serverSignature
    return { proof }
  }

  return {
    acceptor: 'key',
    nominates: true,
    ahead: start,
    answer: ({ ask, place }, context) =>
      ask.kind === 'nothing' ? start(context) : prove(ask, place, context),
    passed({ values }, context) {
      const due = exchanges.get(context)?.serverSignature
      const shown = fromBase64(values.server_signature ?? '')
      if (!due || !isSame(due, shown)) throw refused('the gateway does not know the key itself')
    },
  }
}

/** What each side shows the other (RFC 5802 section 3), over the login message, salt and rounds. */
export async function scram(
  random: Bytes,
  login: Bytes,
  { salt, iterations }: { salt: Uint8Array; iterations: number },
): Promise<{ proof: Bytes; serverSignature: Bytes }> {
  const message = new Uint8Array([...login, ...sshStrings(salt, String(iterations))])
  const { clientKey, serverKey } = await keysOf(random, salt, iterations)
  const storedKey = new Uint8Array(await crypto.subtle.digest('SHA-256', clientKey))
  const clientSignature = await hmac(storedKey, message)
  const proof = clientKey.map((byte, index) => byte ^ clientSignature[index]!)
  return { proof, serverSignature: await hmac(serverKey, message) }
}

async function keysOf(random: Bytes, salt: Uint8Array, iterations: number) {
  const { subtle } = crypto
  const base = await subtle.importKey('raw', random, 'PBKDF2', false, ['deriveBits'])
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(salt), iterations }
  const salted = new Uint8Array(await subtle.deriveBits(how, base, HASH_BYTES * 8))
  const [clientKey, serverKey] = await Promise.all(
    ['Client Key', 'Server Key'].map((name) => hmac(salted, new TextEncoder().encode(name))),
  )
  return { clientKey: clientKey!, serverKey: serverKey! }
}

async function hmac(key: Bytes, message: Bytes): Promise<Bytes> {
  const { subtle } = crypto
  const how = { name: 'HMAC', hash: 'SHA-256' }
  const imported = await subtle.importKey('raw', key, how, false, ['sign'])
  return new Uint8Array(await subtle.sign('HMAC', imported, message))
}

/** Looks at every byte, however early two differ. */
function isSame(a: Bytes, b: Bytes): boolean {
  let differs = a.length ^ b.length
  for (const [index, byte] of a.entries()) differs |= byte ^ (b[index] ?? 0)
  return differs === 0
}

/** Empty for what is no base64. */
function fromBase64(text: string): Bytes {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    return new Uint8Array()
  }
}

function refused(detail: string): PorthouseError {
  return new PorthouseError('UNAUTHENTICATED', { detail })
}
