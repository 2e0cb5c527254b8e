/** HTTP as it is served on one or more listeners: routes and handlers, and the way to WebSocket. */
import type { Code } from '@porthouse/proto/v1/code'
import type { Endpoint } from '../../config/setting.ts'
import type { Log } from '../../observe/log.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Connections } from '../connections.ts'
import type { TlsFiles } from '../tls.ts'
import { answer } from './answer.ts'
import type { Upgrade } from './http1.ts'
import type { Http2Bounds } from './http2.ts'
import { type Listener, listenHttp } from './listener.ts'
import type { Handler, HttpResponse, Route } from './route.ts'
import { HttpVersions } from './versions.ts'

export interface HttpOptions {
  readonly listeners: readonly {
    readonly listen: Endpoint
    /** Where it stands in the config: `http` for `http.listen`. */
    readonly section: string
    /** Without them it speaks plain HTTP. */
    readonly tls?: TlsFiles | undefined
  }[]
  readonly http2: Http2Bounds
  /** Of pages that may read what is answered, or `*`. */
  readonly origins: readonly string[]
  readonly connections: Connections
  readonly log: Log
  readonly routes: readonly Route[]
  /** Such as an API of Connect, which has paths and methods of its own. */
  readonly handlers: readonly Handler[]
  readonly upgrade: Upgrade
  readonly refused?: ((code: Code) => void) | undefined
}

export interface HttpServer {
  /** Where it listens in fact, in the order of the listeners. */
  readonly endpoints: readonly Endpoint[]
  /** Takes certificates as they are now. Throws where one is no good. */
  reload(): void
  /** Takes no new connections, nor requests on those that have none; open ones live on. */
  stopListening(): void
  /** Closes what is still open; what was asked has `graceMs` to be answered before. */
  close(graceMs?: number): Promise<void>
}

/** Rejects with a ListenError, or the error of a certificate; nothing listens then. */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const { connections, log, http2, refused } = options
  const open = new OpenAnswers()
  const versions = new HttpVersions({
    answer(request, response) {
      open.add(response)
      void answer(options, request, response)
    },
    upgrade: counted(options.upgrade, refused),
    http2,
  })
  const listeners: Listener[] = []
  const stopListening = () => {
    for (const listener of listeners) listener.stopListening()
    versions.stop()
  }
  try {
    for (const one of options.listeners) {
      listeners.push(await listenHttp({ ...one, connections, log }, versions))
    }
  } catch (error) {
    stopListening()
    throw error
  }
  return {
    endpoints: listeners.map(({ host, port }) => ({ host, port })),
    reload() {
      for (const listener of listeners) listener.reload()
    },
    stopListening,
    async close(graceMs = 0) {
      const closed = listeners.map((listener) => listener.closed())
      versions.stop()
      await open.none(graceMs)
      versions.close()
      await Promise.all(closed)
    },
  }
}

function counted(upgrade: Upgrade, refused: HttpOptions['refused']): Upgrade {
  return (...given) => {
    try {
      upgrade(...given)
    } catch (error) {
      if (error instanceof Refusal) refused?.(error.code)
      throw error
    }
  }
}

/** Answers that are not at their end. */
class OpenAnswers {
  readonly #open = new Set<HttpResponse>()
  #none = () => {}

  add(response: HttpResponse): void {
    this.#open.add(response)
    response.once('close', () => {
      this.#open.delete(response)
      if (this.#open.size === 0) this.#none()
    })
  }

  /** Resolves when there are none, after `ms` at the latest. */
  none(ms: number): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const late = setTimeout(resolve, ms)
      this.#none = () => {
        clearTimeout(late)
        resolve()
      }
    })
  }
}
