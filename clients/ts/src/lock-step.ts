import type { MessageInitShape } from '@bufbuild/protobuf'
import {
  type AnswerSchema,
  type Outcome as OutcomeNumber,
  Outcome as Outcomes,
  type Challenge as WireChallenge,
  type Verdict as WireVerdict,
} from '@porthouse/proto/v1/lock_step'
import { codeInfo, type ErrorCode } from './code.ts'
import { PorthouseError } from './error.ts'

/** What a lock asks. */
export interface Challenge {
  /** `lock:…`. */
  readonly lock: string
  /** Name of the acceptor, which says what an answer must hold. */
  readonly acceptor: string
  /** Address of what the lock guards; empty: the main lobby. */
  readonly place: string
  /** Position on the socket's stack of locks, 1 the oldest. */
  readonly depth: number
  /** Wrong answers left. */
  readonly triesLeft: number
  /** Milliseconds left when it was sent, at most 600,000. */
  readonly deadlineMs: number
  /** Acceptors that would do as well. */
  readonly others: readonly string[]
  readonly ask: Ask
}

/** What an answer depends on; which acceptor asks what is on its page in docs/acceptors. */
export type Ask =
  | { readonly kind: 'nothing' }
  /** To be signed: `ssh-key`. */
  | { readonly kind: 'nonce'; readonly nonce: Uint8Array; readonly socket: string }
  /** Second message of SCRAM: `key`. */
  | {
      readonly kind: 'scram'
      readonly nonce: Uint8Array
      readonly salt: Uint8Array
      readonly iterations: number
      readonly socket: string
    }
  /** A dialogue with a person, of at most 8 prompts: `password`, `tty`. */
  | {
      readonly kind: 'prompts'
      readonly name: string
      readonly instruction: string
      readonly prompts: readonly Prompt[]
    }
  /** A page to open elsewhere, http or https: the device flow of `oidc`. */
  | {
      readonly kind: 'visit'
      readonly url: string
      readonly userCode: string
      /** Empty where there is none. */
      readonly completeUrl: string
    }
  | { readonly kind: 'data'; readonly data: Uint8Array }

export interface Prompt {
  /** Of a stranger: not to be shown on a terminal as it is. */
  readonly text: string
  /** Whether what is typed may be seen. */
  readonly echo: boolean
}

/** What answers: text, bytes, one text for each prompt, or a message of an exchange. */
export type Response =
  | string
  | Uint8Array
  | readonly string[]
  | SignatureResponse
  | ScramStart
  | ScramProof

export interface SignatureResponse {
  /** `client:{account}/{client}`. */
  readonly client: string
  /** As it was signed. */
  readonly gateway: string
  readonly signature: Uint8Array
}

export interface ScramStart {
  /** Id of the connection key, a UUID. */
  readonly key: string
  readonly nonce: Uint8Array
  readonly gateway: string
}

export interface ScramProof {
  readonly proof: Uint8Array
}

/** What a lock says to an answer. */
export interface Verdict {
  readonly lock: string
  readonly outcome: 'passed' | 'failed' | 'dropped'
  /** Why not. */
  readonly code?: ErrorCode
  readonly triesLeft: number
  /** What was proved, by name; without a prototype. */
  readonly values: Readonly<Record<string, string>>
}

const DEADLINE_MS_MAX = 600_000
const PROMPTS_MAX = 8
const OTHERS_MAX = 16
const NAME_CHARS_MAX = 512
const TEXT_CHARS_MAX = 4096
const BYTES_MAX = 4096

/** Throws MALFORMED_PACKET where anything in it is beyond what a gateway may ask. */
export function readChallenge(lock: string, wire: WireChallenge): Challenge {
  const { acceptor, place, depth, triesLeft, others } = wire
  bound(others.length <= OTHERS_MAX, 'acceptors')
  for (const name of [lock, acceptor, place, ...others])
    bound(name.length <= NAME_CHARS_MAX, 'name')
  const deadlineMs = Math.min(wire.deadlineMs, DEADLINE_MS_MAX)
  const ask = readAsk(wire.ask)
  return { lock, acceptor, place, depth, triesLeft, deadlineMs, others: [...others], ask }
}

function readAsk(ask: WireChallenge['ask']): Ask {
  switch (ask.case) {
    case 'nonce': {
      const { nonce, socket } = ask.value
      return { kind: 'nonce', nonce: bytes(nonce), socket: name(socket) }
    }
    case 'scram': {
      const { nonce, salt, iterations, socket } = ask.value
      const sides = { nonce: bytes(nonce), salt: bytes(salt), socket: name(socket) }
      return { kind: 'scram', iterations, ...sides }
    }
    case 'prompts': {
      const { name: title, instruction, prompts } = ask.value
      bound(prompts.length <= PROMPTS_MAX, 'prompts')
      const asked = prompts.map(({ text, echo }) => ({ text: words(text), echo }))
      return {
        kind: 'prompts',
        name: words(title),
        instruction: words(instruction),
        prompts: asked,
      }
    }
    case 'visit': {
      const { url, userCode, completeUrl } = ask.value
      const page = { url: webPage(url), completeUrl: completeUrl && webPage(completeUrl) }
      return { kind: 'visit', userCode: words(userCode), ...page }
    }
    case 'data':
      return { kind: 'data', data: bytes(ask.value) }
    default:
      return { kind: 'nothing' }
  }
}

const outcomes: Readonly<Record<number, Verdict['outcome']>> = {
  [Outcomes.PASSED]: 'passed',
  [Outcomes.FAILED]: 'failed',
  [Outcomes.DROPPED]: 'dropped',
} satisfies Partial<Record<OutcomeNumber, Verdict['outcome']>>

/** An outcome that this client does not know lets nobody in. */
export function readVerdict(lock: string, { outcome, code, triesLeft, values }: WireVerdict) {
  const verdict: Verdict = {
    lock,
    outcome: outcomes[outcome] ?? 'dropped',
    ...(code && { code: codeInfo(code).name }),
    triesLeft,
    values: Object.assign(Object.create(null), values),
  }
  return verdict
}

type WireResponse = NonNullable<MessageInitShape<typeof AnswerSchema>['response']>

/** Throws a TypeError for what is no response. */
export function wireResponse(response: Response): WireResponse {
  if (typeof response === 'string') return { case: 'text', value: response }
  if (response instanceof Uint8Array) return { case: 'data', value: response.slice() }
  if (Array.isArray(response)) return { case: 'responses', value: { values: [...response] } }
  if ('signature' in response) {
    const { client, gateway, signature } = response
    const value = { client, gateway, signature: signature.slice() }
    return { case: 'signature', value }
  }
  if ('proof' in response) return { case: 'scramProof', value: { proof: response.proof.slice() } }
  if (!('nonce' in response)) throw new TypeError('not a response to a lock')
  const { key, nonce, gateway } = response
  return { case: 'scramStart', value: { key, nonce: nonce.slice(), gateway } }
}

function bytes(value: Uint8Array): Uint8Array {
  bound(value.length <= BYTES_MAX, 'data')
  return value.slice()
}

function name(value: string): string {
  bound(value.length <= NAME_CHARS_MAX, 'name')
  return value
}

function words(value: string): string {
  bound(value.length <= TEXT_CHARS_MAX, 'text')
  return value
}

/** No other scheme is for a person to open: `file:`, `javascript:` and their like do things. */
function webPage(url: string): string {
  bound(URL.canParse(words(url)) && /^https?:$/.test(new URL(url).protocol), 'page')
  return url
}

function bound(kept: boolean, what: string): void {
  if (kept) return
  throw new PorthouseError('MALFORMED_PACKET', { detail: `A challenge of an impossible ${what}` })
}
