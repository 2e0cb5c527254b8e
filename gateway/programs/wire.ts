/**
 * What the gateway and a process of programs say to each other: a line of JSON each. What comes
 * from the process is believed in nothing: it is read with `readFromPrograms`, or ends it.
 */
import { z } from 'zod'

export interface SentMessage {
  readonly id: string
  readonly from: string
  readonly channel: string
  readonly text?: string
  /** Base64, as all bytes here. */
  readonly payload?: string
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  readonly replyTo: string
  readonly correlationId: string
}

export interface SentSocket {
  readonly address: string
  readonly identities: readonly string[]
  readonly again: boolean
}

export type Call =
  | { readonly hook: 'initial'; readonly socket: SentSocket }
  | { readonly hook: 'message'; readonly socket: string; readonly message: SentMessage }
  | { readonly hook: 'left'; readonly socket: string }

export type ToPrograms =
  | {
      readonly type: 'attach'
      readonly room: number
      readonly address: string
      readonly module: string
      readonly options: unknown
    }
  | { readonly type: 'detach'; readonly room: number }
  | ({ readonly type: 'call'; readonly call: number; readonly room: number } & Call)
  | { readonly type: 'answers'; readonly answers: readonly Answer[] }
  | { readonly type: 'ping' }

/** To a command: the first says that it was taken, and of one that lasts a second how it ended. */
export interface Answer {
  readonly command: number
  readonly later?: true
  readonly error?: { readonly code: string; readonly detail: string }
}

const whole = z.int().min(0)

const sending = z.object({
  text: z.string().optional(),
  payload: z.base64().optional(),
  channel: z.string().default(''),
  contentType: z.string().default(''),
  headers: z.record(z.string(), z.string()).default({}),
  correlationId: z.base64().default(''),
  retain: z.boolean().default(false),
})

const command = z.discriminatedUnion('name', [
  sending.extend({ name: z.literal('send'), socket: z.string().optional() }),
  z.object({ name: z.literal('subscribe'), socket: z.string(), filter: z.string() }),
  z.object({ name: z.literal('unsubscribe'), socket: z.string(), filter: z.string() }),
  z.object({ name: z.literal('move'), socket: z.string(), to: z.string() }),
  z.object({ name: z.literal('drop'), socket: z.string(), reason: z.string().default('') }),
  z.object({
    name: z.literal('lock'),
    socket: z.string(),
    acceptor: z.string(),
    options: z.record(z.string(), z.json()).default({}),
    deadlineMs: z.int().min(1).max(600_000).optional(),
  }),
])

const fromPrograms = z.discriminatedUnion('type', [
  /** Without `failed` it is ready. */
  z.object({ type: z.literal('attached'), room: whole, failed: z.string().optional() }),
  z.object({ type: z.literal('began'), call: whole }),
  z.object({
    type: z.literal('ended'),
    call: whole,
    refused: z.string().optional(),
    failed: z.string().optional(),
  }),
  z.object({ type: z.literal('command'), command: whole, room: whole, what: command }),
  /** Memory outside of the heap, in bytes. */
  z.object({ type: z.literal('pong'), external: z.number() }),
  /** Something went wrong outside of a call. */
  z.object({ type: z.literal('fault'), room: whole.optional(), detail: z.string() }),
])

export type FromPrograms = z.output<typeof fromPrograms>
export type Command = z.output<typeof command>
export type Sending = z.output<typeof sending>

/** Throws where it is none of those. */
export function readFromPrograms(line: string): FromPrograms {
  return fromPrograms.parse(JSON.parse(line))
}

/** Commands that a process may have sent and not been answered; a bound for both sides. */
export const COMMANDS_MAX = 256
