import type { MessageInitShape } from '@bufbuild/protobuf'
import type {
  Command,
  CommandSchema,
  Allowance as WireAllowance,
  SocketInfo as WireSocket,
} from '@porthouse/proto/v1/command'
import { PorthouseError } from './error.ts'
import { asFrame, type Question, type Queue } from './queue.ts'

/** A live socket. */
export interface SocketInfo {
  /** `socket:…`. */
  readonly socket: string
  /** Whom it has proved to be: `client:…` and `token:…/n`. */
  readonly identities: readonly string[]
  /** Those of accounts that the asker is of. */
  readonly rooms: readonly Allowance[]
  readonly opened: Date
  /** Acceptors of the locks that it stands at, the oldest first. */
  readonly locks: readonly string[]
  /** Whether it is the one that asks. */
  readonly self: boolean
}

/** What a socket may do in a room that it is in. */
export interface Allowance {
  /** `room:{account}/{room}`. */
  readonly address: string
  readonly maySend: boolean
  readonly listening: boolean
  readonly mayAdmit: boolean
}

type Action = NonNullable<MessageInitShape<typeof CommandSchema>['action']>
type Answer = Command['action']
type Value<Kind> = Extract<Answer, { case: Kind }>['value']

/** What a client asks of the gateway beside messages and rooms. */
export class Commands {
  readonly #queue: Queue

  constructor(queue: Queue) {
    this.#queue = queue
  }

  /** A page at a time, as the loop needs it. */
  sockets(of: string): AsyncGenerator<SocketInfo, void> {
    return pages(async (after) => {
      const action = { case: 'listSockets' as const, value: { of, after } }
      const { sockets, more } = await this.#ask(action, 'sockets')
      return { items: sockets.map(readSocket), more }
    }, 'socket')
  }

  /** As `sockets`. */
  rooms(of: string): AsyncGenerator<Allowance, void> {
    return pages(async (after) => {
      const action = { case: 'listRooms' as const, value: { of, after } }
      const { rooms, more } = await this.#ask(action, 'rooms')
      return { items: rooms.map(readAllowance), more }
    }, 'address')
  }

  async dropSocket(socket: string): Promise<void> {
    await this.#ask({ case: 'dropSocket', value: { socket } }, 'done', false)
  }

  async admit(lock: string, admitted: boolean): Promise<void> {
    await this.#ask({ case: 'admit', value: { lock, admitted } }, 'done', false)
  }

  async watch(of: string, stop: boolean): Promise<void> {
    await this.#ask({ case: 'watch', value: { of, stop } }, 'done')
  }

  #ask<Kind extends NonNullable<Answer['case']>>(
    action: Action,
    kind: Kind,
    repeatable = true,
  ): Promise<Value<Kind>> {
    const question: Question<Value<Kind>> = {
      bytes: 1024,
      repeatable,
      encode: asFrame({ case: 'command', value: { action } }),
      read(answer) {
        if (answer.case !== 'command' || answer.value.action.case !== kind) return undefined
        return answer.value.action.value as Value<Kind>
      },
    }
    return this.#queue.ask(question)
  }
}

async function* pages<T, Key extends keyof T>(
  page: (after: string) => Promise<{ items: T[]; more: boolean }>,
  key: Key & (T[Key] extends string ? Key : never),
): AsyncGenerator<T, void> {
  let after = ''
  for (;;) {
    const { items, more } = await page(after)
    yield* items
    const last = items.at(-1)?.[key] as string | undefined
    if (!more) return
    if (last === undefined || last === after) {
      throw new PorthouseError('FRAME_NOT_ALLOWED', { detail: 'A page that leads nowhere' })
    }
    after = last
  }
}

function readSocket({ socket, identities, rooms, openedMs, locks, self }: WireSocket): SocketInfo {
  return {
    socket,
    identities: [...identities],
    rooms: rooms.map(readAllowance),
    opened: new Date(Number(openedMs)),
    locks: [...locks],
    self,
  }
}

function readAllowance({ address, maySend, listening, mayAdmit }: WireAllowance): Allowance {
  return { address, maySend, listening, mayAdmit }
}
