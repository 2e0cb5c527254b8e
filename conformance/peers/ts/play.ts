/** One case: its actions in order, each by the call of the client that a program would make. */
import { createPrivateKey, sign } from 'node:crypto'
import {
  type Answerer,
  type Client,
  type ConnectOptions,
  connect,
  connectionKey,
  type JoinOptions,
  type Level,
  PorthouseError,
  password,
  preset,
  prompts,
  type Room,
  type SendOptions,
  type Since,
  sshKey,
} from '@porthouse/client'
import type {
  Action,
  ClientRequest,
  Connect,
  Hear,
  Join,
  SendMessage,
} from '@porthouse/proto/conformance/v1/peer'
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import { Ears } from './ears.ts'
import { Happenings } from './happenings.ts'
import { DONE, failed, heard, type Outcome, receiptOutcome } from './outcome.ts'

const WITHIN_MS = 5000

const levels: Record<ReceiptLevel, Level> = {
  [ReceiptLevel.UNSPECIFIED]: 'none',
  [ReceiptLevel.ACCEPTED]: 'accepted',
  [ReceiptLevel.ROUTED]: 'routed',
  [ReceiptLevel.STORED]: 'stored',
}

/** A room, by the address that the runner gave and by its full one. */
interface Joined {
  readonly room: Room
  readonly ears: Ears
}

export class Play {
  readonly #request: ClientRequest
  readonly #happenings = new Happenings()
  readonly #rooms = new Map<string, Joined>()
  #client: Client | undefined
  /** Over all messages; made only where a case asks, since it asks for the client's own channel. */
  #ears: Ears | undefined
  #bounds: { bufferBytes?: number } = {}

  constructor(request: ClientRequest) {
    this.#request = request
  }

  async run(): Promise<Outcome[]> {
    const outcomes: Outcome[] = []
    for (const action of this.#request.actions) outcomes.push(await this.#bounded(action))
    await this.#client?.close()
    return outcomes
  }

  async #bounded({ does, withinMs }: Action): Promise<Outcome> {
    const over = new AbortController()
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    const timer = setTimeout(() => {
      resolve({ result: { case: 'timedOut', value: true } })
      over.abort()
    }, withinMs || WITHIN_MS)
    try {
      return await Promise.race([this.#act(does, over.signal), promise])
    } catch (error) {
      return failed(error)
    } finally {
      clearTimeout(timer)
    }
  }

  async #act(does: Action['does'], signal: AbortSignal): Promise<Outcome> {
    switch (does.case) {
      case 'connect':
        return this.#connect(does.value, signal)
      case 'together':
        return {
          result: {
            case: 'together',
            value: {
              outcomes: await Promise.all(does.value.actions.map((each) => this.#bounded(each))),
            },
          },
        }
      case 'join':
        return this.#join(this.#connected, does.value)
      case 'send':
        return this.#send(this.#connected, does.value)
      case 'hear':
        return heard(await this.#earsOf(does.value).hear(does.value.count))
      case 'event': {
        // Without a client there is nobody to whom anything happens.
        if (!this.#client) throw new PorthouseError('CLOSED')
        return { result: { case: 'happened', value: await this.#happenings.next(does.value.name) } }
      }
      case 'fetch': {
        const { room, afterSequence, limit } = does.value
        const range = { after: afterSequence, ...(limit && { limit }) }
        return heard((await this.#room(room).fetch(range)).messages)
      }
      case 'read':
        await this.#room(does.value.room).read(does.value.sequence)
        return DONE
      case 'leave':
        await this.#room(does.value.room).leave()
        return DONE
      case 'close':
        await this.#connected.close()
        return DONE
      case 'members': {
        const addresses: string[] = []
        for await (const { address } of this.#room(does.value.room).members()) {
          addresses.push(address)
        }
        return { result: { case: 'members', value: { addresses } } }
      }
      default:
        throw new TypeError(`an action that this peer does not know: ${does.case}`)
    }
  }

  async #connect(how: Connect, signal: AbortSignal): Promise<Outcome> {
    const { bufferBytes } = how
    this.#bounds = bufferBytes ? { bufferBytes } : {}
    const client = await connect(this.#request.url + how.path, {
      ...optionsOf(how),
      onStep: (step) => this.#happenings.step(step),
      signal,
    })
    this.#client = client
    this.#happenings.watch(client)
    if (this.#request.actions.some(hearsAll)) this.#ears = new Ears(client.messages(this.#bounds))
    if (client.entered) this.#enter(client.entered.address, client.entered, false)
    return DONE
  }

  async #join(client: Client, how: Join): Promise<Outcome> {
    const options = joinOptionsOf(how)
    const room = await client.join(how.address, options)
    this.#enter(how.address, room, options.since !== undefined)
    const { address, position, maySend } = room
    return { result: { case: 'joined', value: { address, ...position, maySend } } }
  }

  #enter(given: string, room: Room, past: boolean): void {
    const known = this.#rooms.get(room.address)
    const joined =
      known?.room === room ? known : { room, ears: new Ears(room.messages(this.#bounds)) }
    if (joined !== known) this.#happenings.watchRoom(room, past)
    for (const address of [given, room.address, room.address.replace(/^room:/, '')]) {
      this.#rooms.set(address, joined)
    }
  }

  async #send(client: Client, how: SendMessage): Promise<Outcome> {
    const { to, channel, content } = how
    const options = sendOptionsOf(how)
    const said = content.value ?? ''
    const { room } = this.#rooms.get(to) ?? {}
    if (room) {
      return receiptOutcome(await room.send(said, channel ? { ...options, channel } : options))
    }
    const addresses = to ? [channel ? `${to}/${channel}` : to] : []
    return receiptOutcome(await client.send(addresses, said, options))
  }

  get #connected(): Client {
    if (!this.#client) throw new PorthouseError('CLOSED')
    return this.#client
  }

  #room(address: string): Room {
    return this.#joined(address).room
  }

  /** A room that could not be joined is as one that was left. */
  #joined(address: string): Joined {
    const joined = this.#rooms.get(address)
    if (!joined) throw new PorthouseError('CLOSED')
    return joined
  }

  #earsOf({ room }: Hear): Ears {
    if (room) return this.#joined(room).ears
    if (!this.#ears) throw new PorthouseError('CLOSED')
    return this.#ears
  }
}

function hearsAll({ does }: Action): boolean {
  if (does.case === 'together') return does.value.actions.some(hearsAll)
  return does.case === 'hear' && does.value.room === ''
}

function optionsOf(how: Connect): ConnectOptions {
  const { token, client, words, reconnect, timeoutMs } = how
  const locks: Answerer[] = []
  if (how.password) locks.push(password({ client, password: how.password }))
  if (how.key) locks.push(connectionKey(how.key))
  if (how.signingSeed.length > 0) locks.push(signer(client, how.signingSeed))
  if (how.preset) locks.push(preset(how.preset))
  const left = [...words]
  if (words.length > 0) {
    locks.push(
      prompts(async ({ prompts: { length } }) => {
        return left.length >= length ? left.splice(0, length) : undefined
      }),
    )
  }
  return { locks, reconnect, ...(token && { token }), ...(timeoutMs && { timeoutMs }) }
}

/** PKCS #8 of an Ed25519 key, up to its seed (RFC 8410). */
const ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')

function signer(client: string, seed: Uint8Array): Answerer {
  const der = Buffer.concat([ED25519, seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  return sshKey({ client, sign: async (message) => sign(null, message, key) })
}

function joinOptionsOf({ sendOnly, presence, since, epoch }: Join): JoinOptions {
  const options = { sendOnly, presence }
  const from = sinceOf(since, epoch)
  return from === undefined ? options : { ...options, since: from }
}

function sinceOf(since: Join['since'], epoch: bigint): Since | undefined {
  switch (since.case) {
    case 'afterSequence':
      return { epoch, sequence: since.value }
    case 'last':
      return { last: since.value }
    case 'unread':
      return 'unread'
    case 'start':
      return 'start'
    default:
      return undefined
  }
}

function sendOptionsOf(how: SendMessage): SendOptions {
  const { level, contentType, headers, replyTo, correlationId } = how
  const { idempotencyKey, expiresAfter } = how
  return {
    level: levels[level],
    headers,
    correlationId,
    ...(contentType && { contentType }),
    ...(replyTo && { replyTo }),
    ...(idempotencyKey && { idempotencyKey }),
    ...(expiresAfter && { expiresAfter }),
  }
}
