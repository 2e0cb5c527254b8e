/** An emulated Cortex-M3 whose serial line leads to a gateway's WebSocket. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { WebSocket } from 'ws'

const BOARD = ['-M', 'mps2-an385', '-display', 'none', '-monitor', 'none', '-serial', 'stdio']

/** Packets with their length in two bytes before them, as the device writes and reads them. */
export class Emulated {
  readonly #qemu: ChildProcessWithoutNullStreams
  readonly #socket: WebSocket
  #received = Buffer.alloc(0)
  /** What it prints. */
  printed = ''

  /** `words` are its command line. */
  constructor(url: string, image: string, words: readonly string[]) {
    const args = ['device', ...words].map((word) => `arg=${word}`)
    const semihosting = ['enable=on', 'target=native', ...args].join(',')
    this.#qemu = spawn('qemu-system-arm', [
      ...BOARD,
      '-semihosting-config',
      semihosting,
      '-kernel',
      image,
    ])
    this.#socket = new WebSocket(`${url}/v1/ws`, ['porthouse.v1'])
    // The board runs before the gateway is there: what it says first waits in the pipe.
    this.#socket.once('open', () => this.#qemu.stdout.on('data', (data) => this.#said(data)))
    this.#socket.on('message', (data: Buffer) => this.#qemu.stdin.write(framed(data)))
    this.#qemu.stderr.on('data', (data) => {
      this.printed += data
    })
  }

  /** Resolves with its exit code, when it has ended by itself. */
  async ended(): Promise<number> {
    const [code] = await once(this.#qemu, 'close')
    this.#socket.terminate()
    return code
  }

  stop(): void {
    this.#qemu.kill('SIGKILL')
    this.#socket.terminate()
  }

  #said(data: Buffer): void {
    this.#received = Buffer.concat([this.#received, data])
    while (this.#received.length >= 2) {
      const end = 2 + this.#received.readUInt16BE()
      if (this.#received.length < end) return
      this.#socket.send(this.#received.subarray(2, end))
      this.#received = this.#received.subarray(end)
    }
  }
}

function framed(packet: Buffer): Buffer {
  const head = Buffer.alloc(2)
  head.writeUInt16BE(packet.length)
  return Buffer.concat([head, packet])
}
