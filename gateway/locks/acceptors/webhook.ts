/**
 * The `webhook` acceptor: an HTTP service decides who gets in (R18). It is asked as Standard
 * Webhooks has it (signed, with an id and a time), and whatever is not a clear yes is a no.
 */
import { createHmac } from 'node:crypto'
import { Code } from '@porthouse/proto/v1/code'
import { z } from 'zod'
import { realmOf } from '../../identity/logins.ts'
import { checkSlug } from '../../protocol/name.ts'
import type { Grant, Store } from '../../store/store.ts'
import type { Acceptor, Response as Given, LockContext, LockStep } from '../acceptor.ts'
import { boundedFetch, Turnstile } from './bounded-fetch.ts'
import type { AcceptorParts } from './index.ts'
import { optionsOf } from './options.ts'
import { failed, passedAs, passedHere, WRONG } from './steps.ts'

const TIMEOUT_MS_MAX = 10_000
const ANSWER_BYTES_MAX = 65_536
const VALUES_MAX = 16

/** Questions at once, in all and to one URL. */
const CROWD = { max: 256, maxPerKey: 64 }

/** Headers that tell of the peer and hold none of its secrets. */
const HEADERS = ['user-agent', 'origin', 'accept-language', 'x-request-id', 'traceparent'] as const

const url = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  .refine((text) => !URL.canParse(text) || !new URL(text).username, 'no user name in it')

const OPTIONS = z.strictObject({
  url,
  /** Standard Webhooks: 24 to 64 bytes. */
  secret: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/, 'not whsec_ and 24 to 64 bytes as base64')
    .transform((text) => Buffer.from(text.slice('whsec_'.length), 'base64')),
  timeout_ms: z.int().min(1).max(TIMEOUT_MS_MAX).default(3000),
  /** Ask the client for an answer first, and send it along. */
  ask: z.boolean().default(false),
})

type Options = z.output<typeof OPTIONS>

/** Values that only what porthouse has itself proved may set. */
const OURS = ['account', 'client', 'issuer', 'realm', 'subject', 'token']

const DECISION = z.object({
  admit: z.boolean(),
  client: z.string().refine(isSlug).optional(),
  rights: z.object({ send: z.boolean().optional(), receive: z.boolean().optional() }).optional(),
  values: z
    .record(z.string().regex(/^[a-z][a-z0-9_]{0,63}$/), z.string().max(1024))
    .refine((values) => Object.keys(values).length <= VALUES_MAX)
    .refine((values) => !OURS.some((name) => Object.hasOwn(values, name)))
    .optional(),
})

type Decision = z.output<typeof DECISION>

type Parts = Pick<AcceptorParts, 'store' | 'random' | 'clock' | 'log'>

export function webhookAcceptor(parts: Parts): Acceptor<Options> {
  const crowd = new Turnstile(CROWD)
  return {
    name: 'webhook',
    ...optionsOf(OPTIONS),
    nominable: false,
    prompt: true,
    finished: ({ proofs, place, options }) =>
      proofs.some(
        ({ acceptor, place: here, values }) =>
          acceptor === 'webhook' &&
          here === place?.address &&
          values.realm === realmOfHook(options),
      ),
    begin: (context) =>
      context.options.ask
        ? { outcome: 'challenge', ask: { case: undefined } }
        : decide(context, undefined),
    answer: (response, context) => (context.options.ask ? decide(context, response) : WRONG),
  }

  async function decide(
    context: LockContext<Options>,
    given: Given | undefined,
  ): Promise<LockStep> {
    const { url } = context.options
    let decision: Decision | undefined
    try {
      decision = await crowd.run(url, () => ask(parts, context, given))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      parts.log.warn({ host: new URL(url).host, reason }, 'a webhook did not decide')
      return failed(Code.UNAVAILABLE)
    }
    return decision?.admit ? admitted(parts.store, context, decision) : failed(Code.NOT_ADMITTED)
  }
}

/** Undefined: a plain no. Rejects where there is no decision. */
async function ask(
  parts: Parts,
  context: LockContext<Options>,
  given: Given | undefined,
): Promise<Decision | undefined> {
  const { url, secret, timeout_ms } = context.options
  const body = JSON.stringify(question(context, given))
  const response = await boundedFetch(
    url,
    { method: 'POST', headers: signed(parts, secret, body), body },
    { timeoutMs: timeout_ms, bytesMax: ANSWER_BYTES_MAX, signal: context.signal },
  )
  if (response.status === 401 || response.status === 403) return undefined
  if (response.status !== 200) throw new Error(`status ${response.status}`)
  // The engine's own words for what is no JSON quote it, and go into the log (S3).
  const said: unknown = await response.json().catch(() => {
    throw new Error('an answer that is no JSON')
  })
  const decision = DECISION.safeParse(said)
  if (!decision.success) throw new Error('an answer of another shape')
  return decision.data
}

function question({ lock, place, socket }: LockContext<Options>, given: Given | undefined) {
  const { remote, headers } = socket.handshake
  return {
    type: 'lock.decide',
    lock: `lock:${lock}`,
    place: place?.address,
    socket: socket.address,
    remote,
    headers: Object.fromEntries(
      HEADERS.map((name) => [name, headers[name]]).filter(([, value]) => value !== undefined),
    ),
    client: socket.client,
    answer: given && answerOf(given),
  }
}

function answerOf(given: Given) {
  if (given.case === 'text') return { text: given.value }
  if (given.case === 'data') return { data: Buffer.from(given.value).toString('base64') }
  if (given.case === 'responses') return { responses: given.value.values }
  return {}
}

/** Standard Webhooks, symmetric signatures: HMAC-SHA256 over id, seconds and body. */
function signed({ random, clock }: Parts, secret: Buffer, body: string): Record<string, string> {
  const id = `msg_${Buffer.from(random(16)).toString('base64url')}`
  const seconds = String(Math.floor(clock() / 1000))
  const mac = createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64')
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': seconds,
    'webhook-signature': `v1,${mac}`,
  }
}

/** For this place alone: it is this place's admin who trusts the service. */
async function admitted(
  store: Store,
  { place, options }: LockContext<Options>,
  { client: slug, rights, values: said }: Decision,
): Promise<LockStep> {
  if (!place) return failed(Code.NOT_ADMITTED)
  const values = { ...said, realm: realmOfHook(options) }
  const grants = rights ? await grantsOf(store, place, rights) : undefined
  if (slug === undefined) return passedHere('webhook', place, { values, grants: grants ?? [] })
  const client = await store.clients.ensure(place.account, slug)
  const more = { values, place: place.address, grants: grants ?? client.grants }
  return passedAs('webhook', client, more)
}

async function grantsOf(
  { rooms }: Store,
  { account, room }: NonNullable<LockContext['place']>,
  { send = false, receive = false }: NonNullable<Decision['rights']>,
): Promise<Grant[]> {
  const found = room === undefined ? undefined : await rooms.find(account, room)
  if (!found) return []
  return [{ roomId: found.id, room: found.slug, send, receive, admit: false, channels: [] }]
}

/** Which service said so: the yes of one is not that of another. */
function realmOfHook({ url, secret }: Options): string {
  return realmOf(url, secret.toString('hex'))
}

function isSlug(text: string): boolean {
  try {
    checkSlug(text, 'client')
    return true
  } catch {
    return false
  }
}
