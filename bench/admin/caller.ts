/** Calls methods over HTTP/1.1, one after the other on each of a few connections. */
import { connect, type Socket } from 'node:net'

export interface Call {
  readonly port: number
  /** `{package}.{service}/{method}`. */
  readonly method: string
  readonly body: string
  /** Undefined: without credentials. */
  readonly key: string | undefined
}

/** Less than a client of Node's would cost: the server is to be the one that has work. */
export class Caller {
  readonly #socket: Socket
  readonly #request: string
  #received = ''
  #answered = (_: string) => {}
  #failed = (_: Error) => {}

  constructor({ port, method, body, key }: Call) {
    this.#socket = connect(port, '127.0.0.1').setNoDelay()
    this.#request = [
      `POST /${method} HTTP/1.1`,
      'Host: 127.0.0.1',
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      ...(key === undefined ? [] : [`Authorization: Bearer ${key}`]),
      '',
      body,
    ].join('\r\n')
    this.#socket.setEncoding('latin1').on('data', (text: string) => this.#take(text))
    this.#socket.on('error', (error) => this.#failed(error))
    this.#socket.on('close', () => this.#failed(new Error(`${method} is cut: ${this.#received}`)))
  }

  /** The body of the answer. Rejects where the status is not 200. */
  call(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve
      this.#failed = reject
      this.#socket.write(this.#request)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(text: string): void {
    this.#received += text
    const head = this.#received.indexOf('\r\n\r\n')
    if (head < 0) return
    const length = /\r\ncontent-length: (\d+)/i.exec(this.#received)?.[1]
    const end = head + 4 + Number(length)
    if (this.#received.length < end) return
    const answer = this.#received.slice(0, end)
    this.#received = this.#received.slice(end)
    if (answer.startsWith('HTTP/1.1 200')) this.#answered(answer.slice(head + 4))
    else this.#failed(new Error(answer))
  }
}
