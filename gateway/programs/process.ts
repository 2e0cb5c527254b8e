/**
 * A process for an account's programs. Not a worker thread: one that runs out of memory can end the
 * whole process, whatever its limits say, and may then not be terminated (measured on Node 24; see
 * nodejs/node issue 47224). A process can always be ended, and takes nothing with it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { extname, join } from 'node:path'
import type { Duplex, Readable } from 'node:stream'
import type { Log } from '../observe/log.ts'
import { Lines } from './lines.ts'
import { type FromPrograms, readFromPrograms, type ToPrograms } from './wire.ts'

export interface ProcessOptions {
  /** Where the modules are. */
  readonly folder: string
  /** Of its heap. */
  readonly memoryMb: number
  /** Of one line from it, in characters. */
  readonly lineMax: number
  readonly log: Log
}

export interface ProcessHearer {
  said(message: FromPrograms): void
  /** It is over, unless it was ended by `end`; or it said what makes no sense, and has to be. */
  broke(how: string): void
}

/** Characters of a program's own output that go to the log in a second. */
const OUTPUT_MAX = 4_096

const MAIN = join(import.meta.dirname, `inside/main${extname(import.meta.filename)}`)

export class ProgramProcess {
  readonly #child: ChildProcess
  readonly #wire: Duplex
  readonly #hearer: ProcessHearer
  readonly #lines: Lines
  #ended = false

  constructor({ folder, memoryMb, lineMax, log }: ProcessOptions, hearer: ProcessHearer) {
    this.#hearer = hearer
    this.#lines = new Lines(lineMax)
    const heap = [`--max-old-space-size=${memoryMb}`, '--disable-warning=ExperimentalWarning']
    this.#child = spawn(process.execPath, [...heap, MAIN, folder, `${process.pid}`], {
      // It has neither the gateway's environment nor its terminal.
      env: {},
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      // Ctrl-C is the gateway's to hear.
      detached: true,
    })
    this.#wire = this.#child.stdio[3] as Duplex
    this.#wire.on('error', () => {})
    this.#wire.setEncoding('utf8')
    this.#wire.on('data', (chunk) => this.#read(String(chunk)))
    this.#child.once('error', (error) => this.#broke(`its process does not start: ${error}`))
    this.#child.once('exit', (code, signal) => this.#broke(`it ended: ${signal ?? code}`))
    for (const output of [this.#child.stdout, this.#child.stderr]) keep(output as Readable, log)
  }

  tell(message: ToPrograms): void {
    if (!this.#ended) this.#wire.write(`${JSON.stringify(message)}\n`)
  }

  /** At once, whatever it does. Nothing more is heard of it. */
  end(): void {
    this.#ended = true
    this.#wire.destroy()
    this.#child.kill('SIGKILL')
  }

  #read(chunk: string): void {
    try {
      for (const line of this.#lines.take(chunk)) {
        if (this.#ended) return
        this.#hearer.said(readFromPrograms(line))
      }
    } catch (error) {
      const why = error instanceof RangeError ? error.message : 'what is no message'
      this.#broke(`it said ${why}`)
    }
  }

  #broke(how: string): void {
    if (!this.#ended) this.#hearer.broke(how)
  }
}

/** What a program prints is for its operator, and more than that for nobody. */
function keep(output: Readable, log: Log): void {
  let left = OUTPUT_MAX
  let from = performance.now()
  output.setEncoding('utf8')
  output.on('error', () => {})
  output.on('data', (chunk) => {
    const now = performance.now()
    if (now - from > 1_000) {
      left = OUTPUT_MAX
      from = now
    }
    const text = String(chunk).slice(0, left)
    left -= text.length
    if (text !== '') log.info({ output: text }, 'a program printed')
  })
}
