/**
 * HTTP/1.1 and HTTP/2 on one port: how a connection begins says which it speaks (RFC 9113 section
 * 3.3), since gRPC over cleartext asks nobody before.
 */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { HEADERS_TIMEOUT_MS, TIMEOUT_SWEEP_MS } from './bounds.ts'
import { http1Server, type Upgrade } from './http1.ts'
import { Http2, type Http2Bounds } from './http2.ts'
import type { HttpRequest, HttpResponse } from './route.ts'

export interface VersionsOptions {
  readonly answer: (request: HttpRequest, response: HttpResponse) => void
  readonly upgrade: Upgrade
  readonly http2: Http2Bounds
}

/** RFC 9113 section 3.4: a client's preface begins so, and no method of HTTP/1.1 does. */
const PREFACE = 'PRI '

/** What is offered to who asks by ALPN. */
export const ALPN = ['h2', 'http/1.1']

/** Sweeps that a connection may be silent for. */
const SWEEPS_MAX = HEADERS_TIMEOUT_MS / TIMEOUT_SWEEP_MS

/** What HTTP/1.1 says to who is too slow. */
const TOO_LATE = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n'

export class HttpVersions {
  readonly #http1: Server
  readonly #http2: Http2
  /**
   * Connections that have not said yet what they speak, by the sweep before which they came: a
   * timer of each would stay with it for good (G10).
   */
  readonly #silent = new Map<Socket, number>()
  readonly #sweeper: NodeJS.Timeout
  #sweeps = 0

  constructor({ answer, upgrade, http2 }: VersionsOptions) {
    this.#http1 = http1Server(answer, upgrade)
    this.#http2 = new Http2(answer, http2)
    this.#sweeper = setInterval(() => this.#sweep(), TIMEOUT_SWEEP_MS).unref()
  }

  /** Serves a connection until it closes. */
  take(socket: Socket): void {
    const look = () => {
      const start: Buffer | null = socket.read(PREFACE.length)
      if (start === null) return
      leave()
      socket.unshift(start)
      if (start.toString('latin1') === PREFACE) this.#http2.take(socket)
      else this.#http1.emit('connection', socket)
    }
    const gone = () => socket.destroy()
    const leave = () => {
      this.#silent.delete(socket)
      socket.off('readable', look).off('end', gone).off('error', gone).off('close', leave)
    }
    this.#silent.set(socket, this.#sweeps)
    socket.on('readable', look).on('end', gone).on('error', gone).on('close', leave)
  }

  /** Serves a connection whose handshake has said what it speaks (ALPN, RFC 7301). */
  takeSecure(socket: TLSSocket): void {
    if (socket.alpnProtocol === 'h2') this.#http2.take(socket)
    else this.#http1.emit('connection', socket)
  }

  /** Takes no new requests on connections that have none; those that are open go on. */
  stop(): void {
    this.#http1.close()
    this.#http2.stop()
  }

  /** Ends all connections but WebSockets, which are not HTTP's any more. */
  close(): void {
    this.#http1.closeAllConnections()
    this.#http2.close()
    clearInterval(this.#sweeper)
    for (const socket of this.#silent.keys()) socket.destroy()
  }

  #sweep(): void {
    this.#sweeps++
    for (const [socket, since] of this.#silent) {
      if (this.#sweeps - since > SWEEPS_MAX) socket.end(TOO_LATE).destroySoon()
    }
  }
}
