/**
 * HTTP/2 on connections that something else has accepted, and what one of them may keep busy
 * (threat C7). Streams that are begun and reset, and headers without end, nghttp2 bounds itself.
 */
import {
  constants,
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { RateLimit } from '../../protocol/rate-limit.ts'
import { HEADER_BYTES_MAX, LINGER_MS, REQUEST_TIMEOUT_MS } from './bounds.ts'
import { type HttpRequest, type HttpResponse, respond } from './route.ts'

export interface Http2Bounds {
  /** Requests that one connection may have open. */
  readonly streams: number
  /** How long a connection may have none, in milliseconds. */
  readonly idleMs: number
}

/** A gRPC client measures its path with a PING for each round trip while it is sent much. */
const PINGS = { perSecond: 1_000, burst: 5_000 }

/** One or two come with a connection. */
const SETTINGS = { perSecond: 1, burst: 100 }

export class Http2 {
  readonly #server: Http2Server
  readonly #sessions = new Set<ServerHttp2Session>()

  constructor(
    answer: (request: HttpRequest, response: HttpResponse) => void,
    { streams, idleMs }: Http2Bounds,
  ) {
    const settings = { maxConcurrentStreams: streams, maxHeaderListSize: HEADER_BYTES_MAX }
    this.#server = createServer({ settings })
    this.#server.on('request', (request, response) => {
      if (headerBytes(request) > HEADER_BYTES_MAX) respond(response, 431, {})
      else answer(request, response)
    })
    this.#server.on('session', (session) => {
      this.#sessions.add(session)
      session.once('close', () => this.#sessions.delete(session))
      boundSession(session, idleMs)
    })
  }

  /** Serves a connection; what has been read of it is back in its buffer. */
  take(socket: NodeJS.EventEmitter): void {
    this.#server.emit('connection', socket)
  }

  /** Tells every client to send no new requests here (GOAWAY); those that are open go on. */
  stop(): void {
    this.#server.close()
  }

  close(): void {
    for (const session of this.#sessions) session.destroy()
  }
}

/** What they were before compression, by which little can become much; nghttp2 counts only that. */
function headerBytes({ rawHeaders }: Http2ServerRequest): number {
  let bytes = 0
  for (const text of rawHeaders) bytes += text.length
  return bytes
}

function boundSession(session: ServerHttp2Session, idleMs: number): void {
  let open = 0
  session.on('stream', (stream) => {
    open++
    stream.once('close', () => open--)
    boundStream(stream)
  })
  session.setTimeout(idleMs, () => {
    if (open === 0) session.close()
  })
  const counted = (limit: RateLimit) => () => {
    if (!limit.take(performance.now())) end(session, constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }
  session.on('ping', counted(new RateLimit(PINGS)))
  session.on('remoteSettings', counted(new RateLimit(SETTINGS)))
}

/** The whole of a request has to come in time (threat H10), and not long after its answer (C2). */
function boundStream(stream: ServerHttp2Stream): void {
  if (stream.endAfterHeaders) return
  const endWith = (code: number, ms: number) => setTimeout(() => stream.close(code), ms).unref()
  let late = endWith(constants.NGHTTP2_CANCEL, REQUEST_TIMEOUT_MS)
  const clear = () => clearTimeout(late)
  stream.once('end', clear).once('close', clear)
  stream.once('finish', () => {
    if (stream.readableEnded) return
    clear()
    late = endWith(constants.NGHTTP2_NO_ERROR, LINGER_MS)
  })
}

function end(session: ServerHttp2Session, code: number): void {
  if (session.destroyed) return
  session.goaway(code)
  session.destroy()
}
