/** A web server on a free port of this machine that answers as a test says. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type Answerer = (asked: Asked, response: ServerResponse) => unknown

export class WebServer implements AsyncDisposable {
  /** Everything that was asked so far. */
  readonly asked: Asked[] = []
  readonly url: string
  answer: Answerer
  readonly #server: ReturnType<typeof createServer>

  static async start(answer: Answerer = (_, response) => response.end()): Promise<WebServer> {
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return new WebServer(server, answer)
  }

  private constructor(server: ReturnType<typeof createServer>, answer: Answerer) {
    this.#server = server
    this.answer = answer
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('request', (request, response) => void this.#take(request, response))
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks = await request.toArray().catch(() => [])
    const { method = '', url: path = '', headers } = request
    const asked = { method, path, headers, body: Buffer.concat(chunks as Buffer[]).toString() }
    this.asked.push(asked)
    this.answer(asked, response)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
