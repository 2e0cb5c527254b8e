import type { PorthouseError } from './error.ts'

/** What the client needs of a WebSocket: the standard's interface, and what only `ws` has. */
export interface WebSocketLike {
  binaryType: string
  readonly protocol: string
  readonly readyState: number
  readonly bufferedAmount: number
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(data: Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  /** Ends the connection without asking the peer. */
  terminate?(): void
  /** What was wrong, where that can be known better than by the close code. */
  fault?(): PorthouseError | undefined
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike
