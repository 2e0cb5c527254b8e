/** A client under test: a process that is told what to do, one case after the other. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { fromBinary } from '@bufbuild/protobuf'
import {
  type ClientHello,
  ClientHelloSchema,
  type ClientRequest,
  ClientRequestSchema,
  type ClientResponse,
  ClientResponseSchema,
} from '@porthouse/proto/conformance/v1/peer'
import { encoded, write } from '../delimited.ts'

/** A peer that has not greeted by then never will. */
const HELLO_MS = 20_000
/** Of what it writes to stderr, what is shown of a case that fails. */
const STDERR_BYTES = 8192

/** The peer did not keep to peer.proto: it ended, said nonsense, or did not answer in time. */
export class PeerFailed extends Error {}

/** The end of what is written to a stream. */
class Tail {
  #text = ''
  readonly #stream: Readable

  constructor(stream: Readable) {
    this.#stream = stream
    stream.setEncoding('utf8').on('data', (text: string) => {
      this.#text = (this.#text + text).slice(-STDERR_BYTES)
    })
  }

  /** Once the stream has ended. */
  async all(): Promise<string> {
    if (!this.#stream.readableEnded) await once(this.#stream, 'close')
    return this.take()
  }

  take(): string {
    const text = this.#text
    this.#text = ''
    return text
  }
}

interface Started {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly answers: AsyncGenerator<Uint8Array, void>
  readonly stderr: Tail
  readonly hello: ClientHello
}

export class ClientProcess {
  readonly hello: ClientHello
  readonly #child: Started['child']
  readonly #answers: Started['answers']
  readonly #stderr: Tail
  #isKilled = false

  /** Starts a command of the shell. Throws PeerFailed. */
  static async start(command: string): Promise<ClientProcess> {
    const child = spawn(command, { shell: true, detached: true, stdio: 'pipe' })
    const answers = encoded(child.stdout)
    // Not errors of their own: whoever asks it is told that it ended.
    child.once('error', () => {})
    child.stdin.on('error', () => {})
    const stderr = new Tail(child.stderr)
    try {
      const hello = fromBinary(ClientHelloSchema, await next(answers, HELLO_MS))
      return new ClientProcess({ child, answers, stderr, hello })
    } catch (error) {
      end(child)
      const why = `${command}: ${(error as Error).message}\n${await stderr.all()}`
      throw new PeerFailed(why.trimEnd(), { cause: error })
    }
  }

  private constructor({ child, answers, stderr, hello }: Started) {
    this.#child = child
    this.#answers = answers
    this.#stderr = stderr
    this.hello = hello
  }

  /** False: it is of no use any more. */
  get isAlive(): boolean {
    return !this.#isKilled && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** What it wrote to stderr since this was last read. */
  takeStderr(): string {
    return this.#stderr.take()
  }

  /** Throws PeerFailed; then it is of no use any more. */
  async ask(request: ClientRequest, withinMs: number): Promise<ClientResponse> {
    try {
      await write(this.#child.stdin, ClientRequestSchema, request)
      return fromBinary(ClientResponseSchema, await next(this.#answers, withinMs))
    } catch (error) {
      this.kill()
      throw new PeerFailed((error as Error).message, { cause: error })
    }
  }

  /** Lets it end by itself. */
  async close(): Promise<void> {
    if (!this.isAlive) return
    const exited = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.stdin.end()
    const timer = setTimeout(() => this.kill(), 2000)
    await exited
    clearTimeout(timer)
  }

  kill(): void {
    this.#isKilled = true
    end(this.#child)
  }
}

/** It and what it has started, which share a group. */
function end(child: ChildProcessByStdio<Writable, Readable, Readable>): void {
  if (child.pid === undefined || child.exitCode !== null) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}

async function next(
  answers: AsyncGenerator<Uint8Array, void>,
  withinMs: number,
): Promise<Uint8Array> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const why = new PeerFailed(`the peer said nothing for ${withinMs} ms`)
    timer = setTimeout(() => reject(why), withinMs)
  })
  try {
    const { value, done } = await Promise.race([answers.next(), late])
    if (done) throw new PeerFailed('the peer ended')
    return value
  } finally {
    clearTimeout(timer)
  }
}
