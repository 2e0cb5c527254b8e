/** Children of the bench: pinned to a core, bounded in time, stopped by their pid. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'

/** The core of whatever is measured, and that of whatever measures it. */
export const SERVER_CPU = 0
export const GENERATOR_CPU = 1

/** Of `porthouse run`: whatever else listens on this machine is left in peace. */
export const FREE_PORTS = ['--http', '127.0.0.1:0', '--mqtt', '127.0.0.1:0']

/** With one core there is nothing to pin. */
export const pinned = availableParallelism() >= 2

const READY_LIMIT_MS = 60_000
const STOP_LIMIT_MS = 15_000
const OUTPUT_KEPT = 16_384

const children = new Set<ChildProcess>()

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Record<string, string>
  readonly cpu: number
}

/** Settings of porthouse that the caller has for another gateway do not belong here. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !name.startsWith('PORTHOUSE_') && name !== 'DATABASE_URL',
  ),
)

function launch({ file, args, env, cpu }: Command): ChildProcess {
  // taskset executes the program in its own place, so the child's pid is the program's.
  const line = pinned ? ['taskset', '-c', String(cpu), file, ...args] : [file, ...args]
  const child = spawn(line[0]!, line.slice(1), {
    env: { ...environment, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  child.once('close', () => children.delete(child))
  return child
}

/** All that a child has printed, cut to its last part. */
class Output {
  text = ''
  readonly #readers = new Set<() => void>()
  readonly #child: ChildProcess
  readonly #file: string

  constructor(child: ChildProcess, { file }: Command) {
    this.#child = child
    this.#file = file
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.text = (this.text + text).slice(-OUTPUT_KEPT)
        for (const read of this.#readers) read()
      })
    }
  }

  /** Rejects where the child ends before, or takes too long. */
  async says(pattern: RegExp): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const read = () => {
      const found = pattern.exec(this.text)
      if (found) resolve(found[1]!)
    }
    const fail = (why: string) => reject(new Error(`${this.#file} ${why}: ${this.text}`))
    const ended = (code: number | null) => fail(`ended (${code})`)
    const timer = setTimeout(() => fail('is not ready'), READY_LIMIT_MS)
    this.#readers.add(read)
    this.#child.once('error', reject).once('close', ended)
    read()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#readers.delete(read)
      this.#child.off('error', reject).off('close', ended)
    }
  }
}

export interface Server {
  readonly pid: number
  /** The first of its ports. */
  readonly port: number
  readonly ports: readonly number[]
  /** Resolves with the first group of `pattern` once it is in what the server prints. */
  says(pattern: RegExp): Promise<string>
  /** Messages that it has stored, where it is asked itself. */
  stored?(): Promise<number>
  stop(): Promise<void>
}

/** Resolves once a server has printed what each of `ready` matches: a port as its first group. */
export async function startServer(command: Command, ...ready: RegExp[]): Promise<Server> {
  const child = launch(command)
  const output = new Output(child, command)
  const says = (pattern: RegExp) => output.says(pattern)
  try {
    const ports = (await Promise.all(ready.map(says))).map(Number)
    return { pid: child.pid!, port: ports[0]!, ports, says, stop: () => stop(child) }
  } catch (error) {
    await stop(child)
    throw error
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
  await closed
  clearTimeout(timer)
}

/** Runs a program to its end and gives its standard output; rejects with its errors. */
export async function runProgram(command: Command, limitMs: number): Promise<string> {
  const child = launch(command)
  let output = ''
  let errors = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-OUTPUT_KEPT)
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
  try {
    const [code, signal] = await once(child, 'close')
    if (code !== 0) throw new Error(errors.trim() || `${command.file} ended by ${signal ?? code}`)
    return output
  } finally {
    clearTimeout(timer)
  }
}
