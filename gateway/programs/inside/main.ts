/**
 * The process of an account's programs: it loads their modules, calls their hooks, and asks the
 * gateway for what they want done. It dies with the gateway.
 */
import nodeModule from 'node:module'
import { Socket } from 'node:net'
import { extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { Lines } from '../lines.ts'
import type { ToPrograms } from '../wire.ts'
import { Commands } from './commands.ts'
import { loadProgram } from './load.ts'
import { LoadedRoom } from './loaded-room.ts'

/** Failures outside of calls that are told in a second; the account gets no more of them anyway. */
const FAULTS_MAX = 8

const [, , folder = '', gateway] = process.argv
const wire = new Socket({ fd: 3, readable: true, writable: true })
const lines = new Lines(Number.POSITIVE_INFINITY)
const rooms = new Map<number, LoadedRoom>()
const commands = new Commands(tell)
let faults = 0

// A module finds these helpers wherever it lies; before Node 22.15, where its own modules are.
const helpers = join(import.meta.dirname, `../room${extname(import.meta.filename)}`)
nodeModule.registerHooks?.({
  resolve: (specifier, context, next) =>
    next(specifier === 'porthouse/room' ? pathToFileURL(helpers).href : specifier, context),
})

// In a thread of its own, since a program may never let go of this one.
const ORPHAN = `const { workerData: gateway } = require('node:worker_threads')
setInterval(() => process.ppid === gateway || process.kill(process.pid, 'SIGKILL'), 1000)`
new Worker(ORPHAN, { eval: true, workerData: Number(gateway) }).unref()

setInterval(() => {
  faults = 0
}, 1_000).unref()
process.on('uncaughtException', (error) => fault(undefined, error))
wire.on('close', () => process.exit())
wire.on('error', () => process.exit())
wire.setEncoding('utf8')
wire.on('data', (chunk) => {
  for (const line of lines.take(String(chunk))) handle(JSON.parse(line) as ToPrograms)
})

function handle(message: ToPrograms): void {
  switch (message.type) {
    case 'attach':
      return void attach(message)
    case 'detach':
      rooms.get(message.room)?.end()
      rooms.delete(message.room)
      return
    case 'call':
      return void call(message)
    case 'answers':
      return commands.answered(message.answers)
    case 'ping': {
      const { external, arrayBuffers } = process.memoryUsage()
      return tell({ type: 'pong', external: Math.max(external, arrayBuffers) })
    }
  }
}

type Of<Type extends ToPrograms['type']> = Extract<ToPrograms, { type: Type }>

async function attach({ room, address, module, options }: Of<'attach'>): Promise<void> {
  try {
    const program = await loadProgram(folder, module)
    const faulty = (error: unknown) => fault(room, error)
    rooms.set(room, new LoadedRoom({ number: room, address, options, program, commands, faulty }))
    tell({ type: 'attached', room })
  } catch (error) {
    tell({ type: 'attached', room, failed: nameOf(error) })
  }
}

async function call(message: Of<'call'>): Promise<void> {
  const { call, room } = message
  // Said before, so that what never ends is known to have begun.
  tell({ type: 'began', call })
  try {
    const isRefused = (await rooms.get(room)?.run(message)) === false
    tell({ type: 'ended', call, ...(isRefused && { refused: '' }) })
  } catch (error) {
    const isRefused = error instanceof Error && error.name === 'Refused'
    const why = isRefused ? { refused: error.message } : { failed: nameOf(error) }
    tell({ type: 'ended', call, ...why })
  }
}

function fault(room: number | undefined, error: unknown): void {
  if (++faults > FAULTS_MAX) return
  tell({ type: 'fault', ...(room !== undefined && { room }), detail: nameOf(error) })
}

/** For the account's technical channel: no more than fits there. */
function nameOf(error: unknown): string {
  try {
    return String(error).slice(0, 1_000)
  } catch {
    return 'it threw what has no name'
  }
}

function tell(message: object): void {
  wire.write(`${JSON.stringify(message, cutStrings)}\n`)
}

/** A refusal may be as long as its author likes, and is told in 200 bytes. */
function cutStrings(key: string, value: unknown): unknown {
  return key === 'refused' && typeof value === 'string' ? value.slice(0, 200) : value
}
