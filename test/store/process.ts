/** Processes that the tests of the store start, watch and kill. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { pino } from 'pino'
import { vi } from 'vitest'
import { openFolders } from '../../gateway/store/postgres/embedded/folders.ts'

export const silent = pino({ level: 'silent' })

/** A new folder that only this user can enter. */
export function newFolder(): string {
  return mkdtempSync('/tmp/porthouse-test-')
}

/** Another process that has opened the store, as a gateway has. */
export async function holdStore(options: object, opener?: string): Promise<ChildProcess> {
  const opened = opener ?? join(import.meta.dirname, '../../gateway/store/postgres/open.ts')
  const script = join(import.meta.dirname, 'holder.ts')
  const holder = spawn(process.execPath, [script, opened, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(createInterface({ input: holder.stdout! }), 'line')
  return holder
}

/** Makes one call of a store in another process, which ends by itself. */
export async function callStore(options: object, part: string, method: string, ...args: unknown[]) {
  const { log: _log, ...rest } = options as { log?: unknown }
  const script = join(import.meta.dirname, 'caller.ts')
  const parameters = [JSON.stringify(rest), part, method, JSON.stringify(args)]
  await promisify(execFile)(process.execPath, [script, ...parameters])
}

export async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

export function postmasterOf(dataDir: string): number {
  return Number.parseInt(readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'utf8'), 10)
}

export function parentOf(pid: number): number {
  return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1])
}

/** Waits for the end of a process that is nobody's child here. */
export async function gone(pid: number): Promise<void> {
  await vi.waitFor(
    () => {
      const state = /\) (\S)/.exec(readState(pid))?.[1]
      if (state && state !== 'Z') throw new Error(`process ${pid} still runs`)
    },
    { timeout: 20_000, interval: 20 },
  )
}

/** Waits until nothing of a data folder's PostgreSQL runs any more. */
export async function stopped(dataDir: string): Promise<void> {
  const { run } = openFolders(dataDir)
  await vi.waitFor(
    () => {
      if (existsSync(run)) throw new Error(`${run} is still there`)
    },
    { timeout: 20_000, interval: 20 },
  )
}

function readState(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return ''
  }
}
