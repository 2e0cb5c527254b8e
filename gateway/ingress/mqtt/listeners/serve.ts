/** What a listener hands on: a stream of MQTT's bytes, whatever carries them. */
import type { Duplex } from 'node:stream'
import type { Handshake } from '../../../locks/acceptor.ts'

export type Transport = 'tcp' | 'tls' | 'websocket'

/** Takes a connection over until its stream closes. */
export type Serve = (stream: Duplex, handshake: Handshake, transport: Transport) => Served

export interface Served {
  /** `new` until its CONNECT has come. */
  readonly state: string
}
