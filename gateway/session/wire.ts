/** What a session asks of the connection under it; each ingress implements it. */
import type { Code } from '@porthouse/proto/v1/code'

export interface Wire {
  /** Bytes of the session's lane, whole transport messages. */
  write(bytes: Buffer): void
  /** To write to it does nothing else at once, so that it may be done amid a delivery. */
  readonly isPlain?: boolean
  /** Written and not yet taken by the operating system, in bytes. */
  readonly buffered: number
  /** Takes no more from the peer for a while. What has come already may still be handed over. */
  pause(): void
  resume(): void
  /** Nothing is taken from the peer now, neither its answers to a ping. */
  readonly paused: boolean
  /**
   * Asks the peer, behind what was written, for a sign of life that every implementation gives and
   * that has this position, for instance a WebSocket ping. False: its protocol has none.
   */
  ping(position: number): boolean
  /**
   * How long it may be silent before it is taken for dead, in milliseconds; absent: it is asked
   * for a sign of life after a heartbeat.
   */
  readonly patienceMs?: number
  /** The session is about to leave its rooms, with all that it is; once at least. */
  leaving?(): void
  /** Ends the connection after what was written, as the code's rendering says. */
  close(code: Code, detail: string): void
  /** Ends it at once. */
  terminate(): void
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>
}
