/**
 * Clients as users have them: each a small program by a library of its language, built from here.
 * All take the same options and lines: see go/main.go.
 */
import { execFile } from 'node:child_process'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Running } from '../../cli/process.ts'
import { pythonEnvironment } from '../../support/python.ts'
import { root } from '../../tidy/root.ts'

const run = promisify(execFile)
const tools = join(root, '.tools')
const here = import.meta.dirname

/** The first time the network is asked for libraries. */
export const BUILD_MS = 300_000

export type Language = 'C' | 'Go' | 'Python'

export interface ClientOptions {
  readonly port: number
  readonly version: 4 | 5
  readonly qos?: 0 | 1 | 2
  readonly user?: string
  readonly password?: string
  readonly id?: string
  readonly filter?: string
}

/** Builds what is not built yet, within BUILD_MS; gives the command line that starts each. */
export async function buildClients(): Promise<Readonly<Record<Language, readonly string[]>>> {
  await mkdir(join(tools, 'bin'), { recursive: true })
  const [C, Go, Python] = await Promise.all([buildC(), buildGo(), installPython()])
  return { C, Go, Python }
}

/** A client that has connected, and subscribed where it was to. */
export class ForeignClient {
  readonly #running: Running

  static async start(command: readonly string[], options: ClientOptions): Promise<ForeignClient> {
    const client = new ForeignClient(begin(command, options))
    await client.#running.says(options.filter ? /^subscribed \d+$/m : 'connected')
    return client
  }

  /** For one that is to be refused: how it ends. */
  static async refused(command: readonly string[], options: ClientOptions) {
    const running = begin(command, options)
    running.process.stdin.end()
    return running.ended
  }

  private constructor(running: Running) {
    this.#running = running
  }

  /** Of the SUBACK. */
  get granted(): number {
    return Number(/^subscribed (\d+)$/m.exec(this.#running.stdout)?.[1])
  }

  /** Resolves with the reason code of the acknowledgement. */
  async publish(topic: string, message: string): Promise<number> {
    const before = this.#published.length
    this.#running.process.stdin.write(`${topic} ${message}\n`)
    await this.#running.says(new RegExp(`(^published \\d+$[^]*){${before + 1}}`, 'm'))
    return Number(this.#published[before])
  }

  /** Resolves when it has heard this. */
  async hears(topic: string, message: string, qos: number): Promise<void> {
    await this.#running.says(`heard ${qos} ${topic} ${message}\n`)
  }

  /** All that it has heard, in order, as `QOS TOPIC MESSAGE`. */
  get heard(): string[] {
    return [...this.#running.stdout.matchAll(/^heard (.*)$/gm)].map(([, said]) => said as string)
  }

  /** Ends as a user would end it: it disconnects. */
  async stop(): Promise<void> {
    this.#running.process.stdin.end()
    const { code, stderr } = await this.#running.ended
    if (code !== 0) throw new Error(`ended with ${code}: ${stderr}`)
  }

  kill(): void {
    this.#running.process.kill('SIGKILL')
  }

  get #published(): string[] {
    const said = this.#running.stdout.matchAll(/^published (\d+)$/gm)
    return [...said].map(([, reason]) => reason as string)
  }
}

function begin([command, ...args]: readonly string[], options: ClientOptions): Running {
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  return new Running([...args, ...flags], { command: command as string })
}

async function buildC(): Promise<string[]> {
  const file = join(tools, 'bin/mqtt-client-c')
  await compiled(file, (to) => {
    const flags = ['-std=c11', '-O1', '-Wall', '-Wextra', '-Werror', '-pthread']
    return run('cc', [...flags, '-o', to, join(here, 'c/client.c'), '-lpaho-mqtt3c'])
  })
  return [file]
}

async function buildGo(): Promise<string[]> {
  const file = join(tools, 'bin/mqtt-client-go')
  await compiled(file, (to) => run('go', ['build', '-C', join(here, 'go'), '-o', to, '.']))
  return [file]
}

/** Two test files may build at once: each builds its own, and either is as good. */
async function compiled(file: string, build: (to: string) => Promise<unknown>): Promise<void> {
  const own = `${file}.${process.pid}`
  await build(own)
  await rename(own, file)
}

async function installPython(): Promise<string[]> {
  const bin = await pythonEnvironment('paho-python', join(here, 'python/requirements.txt'))
  return [join(bin, 'python'), join(here, 'python/client.py')]
}
