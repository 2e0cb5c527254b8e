/** A client in C whose only line leads to a gateway's WebSocket. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { WebSocket } from 'ws'

const BOARD = ['-M', 'mps2-an385', '-display', 'none', '-monitor', 'none', '-serial', 'stdio']

/** A device on an emulated Cortex-M3, whose line is serial; `words` are its command line. */
export function emulated(url: string, image: string, words: readonly string[]): Wired {
  const args = ['device', ...words].map((word) => `arg=${word}`)
  const semihosting = ['enable=on', 'target=native', ...args].join(',')
  const qemu = [...BOARD, '-semihosting-config', semihosting, '-kernel', image]
  return new Wired(url, spawn('qemu-system-arm', qemu))
}

/** Packets on stdin and stdout, each with its length in two bytes before it. */
export class Wired {
  readonly process: ChildProcess
  readonly #socket: WebSocket
  #said = Buffer.alloc(0)
  /** What it writes on stderr. */
  printed = ''

  constructor(url: string, process: ChildProcess) {
    this.process = process
    const [stdin, stdout, stderr] = process.stdio as unknown as [Writable, Readable, Readable]
    // What it is told once it has ended gets nowhere.
    for (const stream of process.stdio) stream?.on('error', () => {})
    this.#socket = new WebSocket(`${url}/v1/ws`, ['porthouse.v1'])
    // It begins before the gateway is there: what it says first waits in the pipe.
    this.#socket.once('open', () => stdout.on('data', (data: Buffer) => this.#says(data)))
    this.#socket.on('message', (data: Buffer) => stdin.write(framed(data)))
    stderr.on('data', (data) => {
      this.printed += data
    })
  }

  /** Resolves with its exit code, when it has ended by itself. */
  async ended(): Promise<number> {
    const [code] = await once(this.process, 'close')
    return code
  }

  stop(): void {
    this.process.kill('SIGKILL')
    this.#socket.terminate()
  }

  #says(data: Buffer): void {
    this.#said = Buffer.concat([this.#said, data])
    while (this.#said.length >= 2) {
      const end = 2 + this.#said.readUInt16BE()
      if (this.#said.length < end) return
      this.#socket.send(this.#said.subarray(2, end))
      this.#said = this.#said.subarray(end)
    }
  }
}

/** With its length in two bytes before it. */
function framed(packet: Buffer): Buffer {
  const head = Buffer.alloc(2)
  head.writeUInt16BE(packet.length)
  return Buffer.concat([head, packet])
}
