/** What a listener hands on: a stream of MQTT's bytes, whatever carries them. */
import type { Duplex } from 'node:stream'
import type { Handshake } from '../../../locks/acceptor.ts'

/**
 * May be asked for a sign of life, as a session asks its wire; `pong`, with the position of what
 * was asked, is the answer.
 */
export interface Carrier extends Duplex {
  ping?(position: number): boolean
}

export type Transport = 'tcp' | 'tls' | 'websocket'

/** Takes a connection over until its stream closes. */
export type Serve = (stream: Carrier, handshake: Handshake, transport: Transport) => Served

export interface Served {
  /** `new` until its CONNECT has come. */
  readonly state: string
}
