/**
 * The log: JSON lines on stderr, or short lines for people where that is a terminal. It never holds
 * payloads or secrets (threat S3); redaction is the second guard, not the first.
 */
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import {
  type DestinationStream,
  destination,
  type LevelWithSilent,
  type Logger,
  type LoggerOptions,
  pino,
  stdSerializers,
} from 'pino'
import { Flood } from './flood.ts'

export type Log = Logger

/** What may wait for a slow reader of the log; more is lost, so that nothing blocks (L10). */
const WAITING_BYTES_MAX = 1024 * 1024

const CLOSE_MS = 1000

const SECRETS = [
  'token',
  'secret',
  'password',
  'passphrase',
  'apiKey',
  'authorization',
  'cookie',
  'databaseUrl',
  'payload',
]

/** From here on lines are bounded: below, somebody has asked for all of them, and can stop it. */
const INFO = 30
const FATAL = 60

const OPTIONS: LoggerOptions = {
  base: null,
  timestamp: () => `,"time":"${new Date().toISOString()}"`,
  formatters: { level: (label) => ({ level: label }) },
  serializers: { err: stdSerializers.err },
  redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
}

/** A log that writes its lines there. */
export function logTo(stream: DestinationStream, level: LevelWithSilent): Log {
  const flood = new Flood()
  const hooks: LoggerOptions['hooks'] = {
    logMethod(given, write, number) {
      const [first, second] = given as [unknown, unknown?]
      const isBounded = number >= INFO && number < FATAL
      const text = typeof first === 'string' ? first : String(second)
      const leftOut = isBounded ? flood.take(text, performance.now()) : 0
      if (leftOut === undefined) return
      if (leftOut === 0) return write.apply(this, given)
      const fields = typeof first === 'object' ? { ...first, leftOut } : { leftOut }
      write.apply(this, [fields, text] as unknown as typeof given)
    },
  }
  return pino({ ...OPTIONS, level, hooks }, stream)
}

export interface OpenLog {
  readonly log: Log
  /** Ends the log. Resolves when what waits is written, or nobody has read it for a second. */
  close(): Promise<void>
}

/** Opens the process's log on stderr. */
export function openLog(level: LevelWithSilent, terminal = process.stderr.isTTY): OpenLog {
  if (terminal) {
    const lines = { write: (line: string) => process.stderr.write(forPeople(line)) }
    return { log: logTo(lines, level), close: async () => {} }
  }
  const stderr = destination({ dest: 2, sync: false, maxLength: WAITING_BYTES_MAX })
  // A reader that has gone away must not end the gateway.
  stderr.on('error', () => {})
  return { log: logTo(stderr, level), close: () => close(stderr) }
}

async function close(stderr: ReturnType<typeof destination>): Promise<void> {
  const closed = once(stderr, 'close')
  stderr.end()
  await Promise.race([closed, setTimeout(CLOSE_MS, undefined, { ref: false })])
}

interface Line {
  readonly level: string
  readonly time: string
  readonly msg?: string
  readonly err?: { readonly message: string; readonly stack?: string }
  readonly [field: string]: unknown
}

const COLOURS: Record<string, number> = {
  fatal: 31,
  error: 31,
  warn: 33,
  info: 32,
  debug: 34,
  trace: 90,
}

/** One line for people, and those of an error's stack below it. */
export function forPeople(json: string): string {
  const { level, time, msg = '', err, ...fields } = JSON.parse(json) as Line
  const name = level.toUpperCase().padEnd(5)
  const coloured = process.stderr.hasColors?.() ? `\x1b[${COLOURS[level]}m${name}\x1b[0m` : name
  const rest = Object.entries(fields).map(([key, value]) => harmless(`${key}=${shown(value)}`))
  const head = [time.slice(11, 23), coloured, harmless(msg), ...rest].join(' ')
  if (!err) return `${head}\n`
  const stack = harmless(err.stack ?? err.message).replaceAll('\n', '\n  ')
  return `${head}\n  ${stack}\n`
}

function shown(value: unknown): string {
  return typeof value === 'string' && !/\s/.test(value) ? value : JSON.stringify(value)
}

/** What others said, a provider for instance, is not to move the cursor of whoever reads. */
function harmless(text: string): string {
  return text.replace(/(?!\n)[\p{Cc}\p{Cf}]/gu, (control) => {
    return `\\u{${control.codePointAt(0)?.toString(16)}}`
  })
}
