/** Asks a process that runs, by the inspector's protocol. */
import { once } from 'node:events'
import { WebSocket } from 'ws'

export class Inspector {
  readonly #socket: WebSocket
  #id = 0

  /** `url` is what Node prints when SIGUSR1 has opened its inspector. */
  static async open(url: string): Promise<Inspector> {
    const socket = new WebSocket(url, { perMessageDeflate: false })
    await once(socket, 'open')
    return new Inspector(socket)
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket
  }

  /** The value of an expression, as JSON has it. */
  async evaluate<T>(expression: string): Promise<T> {
    const id = ++this.#id
    const params = { expression, returnByValue: true }
    this.#socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params }))
    const [data] = (await once(this.#socket, 'message')) as [Buffer]
    const { result } = JSON.parse(data.toString())
    if (!result || result.exceptionDetails) throw new Error(`${expression}: ${data}`)
    return result.result.value as T
  }

  close(): void {
    this.#socket.terminate()
  }
}
