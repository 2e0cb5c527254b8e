/**
 * What the author of a room's program writes with, as `porthouse/room`: see docs/rooms/programs.md.
 * Types and two helpers; it runs in the program's own process, far from the gateway.
 */

/** A program. Each hook may be left out, and may be async: what it awaits counts to its budget. */
export interface Program<State = undefined, Options = unknown> {
  /** What the room remembers while its program lives; made anew with it. */
  state?(options: Options): State
  /**
   * A socket has come in. `false` puts it out, and so does a thrown Refused, which says why. It is
   * called again for all who are there when the program has begun anew: then `socket.again`.
   */
  initial?(socket: RoomSocket, room: Room<State, Options>): Verdict
  /**
   * Somebody sends a message. `false` refuses it, and so does a thrown Refused; else it goes on.
   * What the program itself sends does not come here.
   */
  message?(message: Message, socket: RoomSocket, room: Room<State, Options>): Verdict
  /** A socket has gone, however it went. */
  left?(socket: RoomSocket, room: Room<State, Options>): unknown
}

/** `false`, or a promise of it, refuses. */
export type Verdict = unknown

/** A message as it came. Of `text` and `payload` it has at most one. */
export interface Message {
  /** UUIDv7. */
  readonly id: string
  /** Address that it is from: a client's, a token's or a socket's. */
  readonly from: string
  /** `` for the room itself. */
  readonly channel: string
  readonly text?: string
  readonly payload?: Uint8Array
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  readonly replyTo: string
  readonly correlationId: Uint8Array
  /** Answers the socket that sent it, alone, with the message's correlationId. */
  reply(content: Content, options?: SendOptions): Promise<void>
}

/** Text, bytes, or anything else as JSON text. */
export type Content = string | Uint8Array | Json | readonly Json[]
export interface Json {
  readonly [key: string]: unknown
}

export interface SendOptions {
  /** Of the room; to a socket it only says which. Absent: the room itself. */
  readonly channel?: string
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly correlationId?: Uint8Array
  /** It is to be the last value of its channel, where the room keeps such. */
  readonly retain?: boolean
}

export interface LockOptions {
  /** The acceptor's own; see its page in docs/acceptors. */
  readonly options?: Json
  readonly deadlineMs?: number
}

/** Somebody in the room. What is asked for is done, or rejects with an Error that has a `code`. */
export interface RoomSocket {
  /** `socket:…` */
  readonly address: string
  /** Whom its messages here may be from, the preferred one first; empty: it may not send. */
  readonly identities: readonly string[]
  /** The program has begun anew, and had met it before. */
  readonly again: boolean
  /** Of the program's own, forgotten with it. */
  readonly data: Record<string, unknown>
  send(content: Content, options?: SendOptions): Promise<void>
  /** Has it hear a channel, or a filter of channels, whatever rights it has in the room. */
  subscribe(filter: string): Promise<void>
  unsubscribe(filter: string): Promise<void>
  /** Has it enter another room of the account, by slug, through that room's locks. */
  move(room: string): Promise<void>
  /** Puts it out of the room. */
  drop(reason?: string): Promise<void>
  /** Asks it for a lock; resolves when that is open. Never await it within a hook: see Budget. */
  lock(acceptor: string, options?: LockOptions): Promise<void>
}

export interface Room<State = unknown, Options = unknown> {
  /** `room:{account}/{room}` */
  readonly address: string
  /** Of block program, as they are. */
  readonly options: Options
  state: State
  /** Who is in it and was met, by address. */
  readonly sockets: ReadonlyMap<string, RoomSocket>
  /** Sends to the room, or a channel of it, as the room. */
  send(content: Content, options?: SendOptions): Promise<void>
  /** Runs once, in so many milliseconds, while the room has its program. Returns how to stop it. */
  after(ms: number, run: () => unknown): () => void
  /** The same, again and again. */
  every(ms: number, run: () => unknown): () => void
}

/** Thrown by a hook: no failure, but the program's word. Of its message 200 bytes are told. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

/** Gives a program its types; to be the module's default export. */
export function defineRoom<State = undefined, Options = Json>(
  program: Program<State, Options>,
): Program<State, Options> {
  return program
}
