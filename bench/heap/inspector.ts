/**
 * Looks into a server on Node from outside, by the protocol of its inspector: opened by SIGUSR1, so
 * that nothing of ours runs in what is measured. The server is started with the environment
 * `inspectable`.
 */
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'

/** The inspector is on a free port, once it is asked for. */
export const inspectable = { NODE_OPTIONS: '--inspect-port=127.0.0.1:0' }

const BETWEEN_MS = 300

/** Bytes. */
export interface Memory {
  /** What the system has given to the process. */
  readonly resident: number
  /** What V8 has taken from the system, and what of it is in use. */
  readonly heapTaken: number
  readonly heapUsed: number
  /** Outside of the heap, and known to V8: buffers, and all there is of that kind. */
  readonly buffers: number
  readonly external: number
}

interface Answer {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly chunk: string }
  readonly result?: {
    readonly result?: { readonly value?: unknown }
    readonly exceptionDetails?: { readonly text: string }
  }
  readonly error?: { readonly message: string }
}

export interface Inspected {
  readonly pid: number
  /** Resolves once it has printed what matches, with the first group. */
  says(pattern: RegExp): Promise<string>
}

interface Waiting {
  resolve(result: NonNullable<Answer['result']>): void
  reject(error: Error): void
}

export class Inspector {
  readonly #pid: number
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, Waiting>()
  #last = 0
  #chunks: string[] = []

  private constructor(pid: number, socket: WebSocket) {
    this.#pid = pid
    this.#socket = socket
    socket.on('message', (data) => this.#hear(JSON.parse(String(data))))
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the inspector has gone'))
    })
  }

  static async open({ pid, says }: Inspected): Promise<Inspector> {
    process.kill(pid, 'SIGUSR1')
    const url = await says(/Debugger listening on (ws:\S+)/)
    const socket = new WebSocket(url, { perMessageDeflate: false })
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    return new Inspector(pid, socket)
  }

  close(): void {
    this.#socket.terminate()
  }

  /** Of what is in use: garbage is collected first, and what is free is given back. */
  async memory(): Promise<Memory> {
    await this.#ask('HeapProfiler.collectGarbage')
    // What finalizers let go of is garbage by then, and freed pages are given back.
    await delay(BETWEEN_MS)
    await this.#ask('HeapProfiler.collectGarbage')
    const used = await this.evaluate<NodeJS.MemoryUsage>('process.memoryUsage()')
    return {
      resident: await residentBytes(this.#pid),
      heapTaken: used.heapTotal,
      heapUsed: used.heapUsed,
      buffers: used.arrayBuffers,
      external: used.external,
    }
  }

  /** The value of an expression in the server's own globals, as JSON has it. */
  async evaluate<T>(expression: string): Promise<T> {
    const asked = { expression, returnByValue: true }
    const { result, exceptionDetails } = await this.#ask('Runtime.evaluate', asked)
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.text}`)
    return result?.value as T
  }

  /** As JSON: see snapshot.ts. Garbage is collected first. */
  async snapshot(): Promise<string> {
    this.#chunks = []
    await this.#ask('HeapProfiler.takeHeapSnapshot', { reportProgress: false })
    const chunks = this.#chunks
    this.#chunks = []
    return chunks.join('')
  }

  #ask(method: string, params: object = {}): Promise<NonNullable<Answer['result']>> {
    const id = ++this.#last
    this.#socket.send(JSON.stringify({ id, method, params }))
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
  }

  #hear({ id, method, params, result, error }: Answer): void {
    if (method === 'HeapProfiler.addHeapSnapshotChunk') this.#chunks.push(params!.chunk)
    if (id === undefined) return
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error) waiting?.reject(new Error(error.message))
    else waiting?.resolve(result ?? {})
  }
}

/** Of the process itself; Node's own figure is older by up to a few allocations. */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024
}
