import { PlatformWebSocket } from '#websocket'
import type { Answerer, OnStep } from './answerer.ts'
import { token } from './answerers/token.ts'
import { Backoff, type BackoffOptions } from './backoff.ts'
import { Client } from './client.ts'
import { type Clock, systemClock } from './clock.ts'
import type { OnPacket } from './connection.ts'
import { PorthouseError } from './error.ts'
import { gatewayOrigin } from './gateway-url.ts'
import type { WebSocketConstructor } from './websocket.ts'

export interface ConnectOptions {
  /** The secret of a token; short for the answerer `token`. It never stands in the URL. */
  token?: string | undefined
  /**
   * Who answers locks, in the order of preference. Those that prove an identity do so at once where
   * the URL names no place; in a place, the first that fits what it asks for.
   */
  locks?: readonly Answerer[] | undefined
  /** Sees each step of each lock, for a user interface of your own. */
  onStep?: OnStep | undefined
  /**
   * What the gateway is called in what is signed, where it has another URL than the one dialled,
   * for instance behind a tunnel. Never take it from the gateway itself.
   */
  gateway?: string | undefined
  /** Whether to connect again when the connection is lost. Default true. */
  reconnect?: boolean | undefined
  /** Gives up connecting; once connected it has no effect. */
  signal?: AbortSignal | undefined
  backoff?: BackoffOptions | undefined
  /**
   * How long one attempt to connect may take, in milliseconds, beside what locks wait for their
   * answers. Default 10,000.
   */
  timeoutMs?: number | undefined
  /**
   * How long the gateway may take over the answer to a message or another question, in
   * milliseconds, beside what locks wait for theirs; over it: UNAVAILABLE. Default
   * 60,000; Infinity: as long as it takes.
   */
  answerMs?: number | undefined
  /** Bound of what waits to be sent or answered, in bytes. Default 16 MiB; over it: QUEUE_FULL. */
  queueBytes?: number | undefined
  /** Name and version of your program, for the gateway's log. */
  agent?: string | undefined
  /** Sees each packet, also secrets in it. */
  onPacket?: OnPacket | undefined
  /** Another WebSocket than the platform's. */
  WebSocket?: WebSocketConstructor | undefined
  /** For tests. */
  clock?: Clock | undefined
}

const LOBBY = '/v1/ws'
const AGENT = 'porthouse-ts/0.1.0'

/**
 * Connects to a gateway, `ws://host:port`, in one round trip; a URL with a room's path enters that
 * room: see Client.entered. Rejects with a PorthouseError, or the signal's reason; the first
 * attempt is not repeated, later ones are.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Client> {
  const { reconnect = true, signal, timeoutMs = 10_000, answerMs = 60_000 } = options
  const { queueBytes = 16 * 2 ** 20 } = options
  signal?.throwIfAborted()
  const target = dialled(url)
  const { token: secret, locks = [], gateway = target.href } = options
  const client = new Client({
    url: target.href,
    entering: target.pathname !== LOBBY,
    answerers: secret === undefined ? locks : [token(secret), ...locks],
    gateway: gatewayOrigin(gateway) ?? refuseUrl(gateway),
    onStep: options.onStep,
    onPacket: options.onPacket,
    reconnect,
    timeoutMs,
    answerMs,
    queueBytes,
    agent: options.agent ?? AGENT,
    backoff: new Backoff(options.backoff),
    WebSocket: options.WebSocket ?? PlatformWebSocket,
    clock: options.clock ?? systemClock,
  })
  const abort = () => void client.close()
  signal?.addEventListener('abort', abort)
  try {
    await client.opened
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', abort)
  }
  return client
}

function dialled(url: string): URL {
  const target = URL.canParse(url) ? new URL(url) : undefined
  // Where a page came from http, so does its gateway.
  if (target?.protocol.startsWith('http')) target.protocol = target.protocol.replace('http', 'ws')
  if (!target || !/^wss?:$/.test(target.protocol)) return refuseUrl(url)
  if (target.pathname === '/') target.pathname = LOBBY
  return target
}

function refuseUrl(url: string): never {
  throw new PorthouseError('ADDRESS_INVALID', { detail: `Not a URL of a gateway: ${url}` })
}
