/** One room with its program, as that sees it. */
import type { LockOptions, Message, Program, Room, RoomSocket, SendOptions } from '../room.ts'
import type { Call, SentMessage, SentSocket } from '../wire.ts'
import type { Asked, Commands } from './commands.ts'

interface Parts {
  readonly number: number
  readonly address: string
  readonly options: unknown
  readonly program: Program<unknown>
  readonly commands: Commands
  /** Told what a timer threw. */
  readonly faulty: (error: unknown) => void
}

export class LoadedRoom implements Room {
  readonly address: string
  readonly options: unknown
  readonly sockets = new Map<string, RoomSocket>()
  state: unknown
  readonly #parts: Parts
  readonly #timers = new Set<NodeJS.Timeout>()

  constructor(parts: Parts) {
    this.#parts = parts
    this.address = parts.address
    this.options = parts.options
    this.state = parts.program.state?.(parts.options)
  }

  /** Resolves with false where the program refuses. Rejects with what it throws. */
  async run(call: Call): Promise<unknown> {
    const { program } = this.#parts
    switch (call.hook) {
      case 'initial': {
        const socket = this.#socket(call.socket)
        this.sockets.set(socket.address, socket)
        return program.initial?.(socket, this)
      }
      case 'message': {
        const socket = this.sockets.get(call.socket) ?? this.#gone(call.socket)
        return program.message?.(this.#message(call.message, socket), socket, this)
      }
      case 'left': {
        const socket = this.sockets.get(call.socket)
        this.sockets.delete(call.socket)
        return socket && program.left?.(socket, this)
      }
    }
  }

  send(content: unknown, options: SendOptions = {}): Promise<void> {
    return this.#ask({ name: 'send', ...sendingOf(content, options) })
  }

  after(ms: number, run: () => unknown): () => void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      void this.#guarded(run)
    }, ms)
    return this.#keep(timer)
  }

  every(ms: number, run: () => unknown): () => void {
    return this.#keep(setInterval(() => void this.#guarded(run), ms))
  }

  /** Its timers end. */
  end(): void {
    for (const timer of this.#timers) clearTimeout(timer)
  }

  #keep(timer: NodeJS.Timeout): () => void {
    this.#timers.add(timer)
    return () => {
      this.#timers.delete(timer)
      clearTimeout(timer)
    }
  }

  async #guarded(run: () => unknown): Promise<void> {
    try {
      await run()
    } catch (error) {
      this.#parts.faulty(error)
    }
  }

  #ask(what: Asked): Promise<void> {
    return this.#parts.commands.run(this.#parts.number, what)
  }

  #message({ payload, correlationId, ...sent }: SentMessage, socket: RoomSocket): Message {
    const correlation = Buffer.from(correlationId, 'base64')
    return {
      ...sent,
      ...(payload !== undefined && { payload: Buffer.from(payload, 'base64') }),
      correlationId: correlation,
      reply: (content, options) => socket.send(content, { correlationId: correlation, ...options }),
    }
  }

  /** Who sent something and left before it was looked at. */
  #gone(address: string): RoomSocket {
    return this.#socket({ address, identities: [], again: false })
  }

  #socket(sent: SentSocket): RoomSocket {
    const socket = sent.address
    return {
      ...sent,
      data: {},
      send: (content, options = {}) =>
        this.#ask({ name: 'send', socket, ...sendingOf(content, options) }),
      subscribe: (filter) => this.#ask({ name: 'subscribe', socket, filter }),
      unsubscribe: (filter) => this.#ask({ name: 'unsubscribe', socket, filter }),
      move: (to) => this.#ask({ name: 'move', socket, to }),
      drop: (reason = '') => this.#ask({ name: 'drop', socket, reason }),
      lock: (acceptor, { options = {}, deadlineMs }: LockOptions = {}) =>
        this.#ask({
          name: 'lock',
          socket,
          acceptor,
          options,
          ...(deadlineMs !== undefined && { deadlineMs }),
        }),
    }
  }
}

function sendingOf(content: unknown, { correlationId, ...options }: SendOptions) {
  return {
    ...options,
    ...contentOf(content, options),
    ...(correlationId && { correlationId: Buffer.from(correlationId).toString('base64') }),
  }
}

function contentOf(content: unknown, { contentType = 'application/json' }: SendOptions) {
  if (typeof content === 'string') return { text: content }
  if (content instanceof Uint8Array) return { payload: Buffer.from(content).toString('base64') }
  return { text: JSON.stringify(content), contentType }
}
