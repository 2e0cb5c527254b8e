/** A PostgreSQL whose supervisor was killed, or whose data folder was taken away. */
import { execFile } from 'node:child_process'
import { readdir, readFile, readlink, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { STOPS, socketsSetting } from './postmaster.ts'

const run = promisify(execFile)
const POLL_MS = 20
/** For processes that were killed to be gone. */
const KILLED_MS_MAX = 5_000

/**
 * Ends the one that still runs in a data directory or on a socket, and clears what a killed one has
 * left there: PostgreSQL would refuse both where the old pid is another process's by now. Rejects
 * where another data folder uses the directory, as the copy of a link to it does.
 */
export async function endOrphan(path: string, sockets: string): Promise<void> {
  const socket = join(sockets, '.s.PGSQL.5432')
  for (const pidFile of [join(path, 'postmaster.pid'), `${socket}.lock`]) {
    const text = await readFile(pidFile, 'utf8').catch(() => '')
    if (text !== '') await end(Number.parseInt(text, 10), path, sockets)
    await rm(pidFile, { force: true })
  }
  await rm(socket, { force: true })
  await endBackends(path)
}

async function end(pid: number, path: string, sockets: string): Promise<void> {
  const isOurs = async () => (await commandOf(pid)).includes(socketsSetting(sockets))
  if ((await commandOf(pid)).includes(` -D ${path} `) && !(await isOurs())) {
    throw new Error(`${path} is in use by the PostgreSQL of another data folder (process ${pid})`)
  }
  for (const [signal, ms] of STOPS) {
    if (!(await isOurs())) return
    process.kill(pid, signal)
    for (let waited = 0; waited < ms && (await isOurs()); waited += POLL_MS) await delay(POLL_MS)
  }
}

/**
 * Kills what serves clients without its first process, which was killed: no other starts beside
 * them, and one that is busy or stopped would stay. Elsewhere than on Linux they are waited for, as
 * starts that fail are made again.
 */
async function endBackends(path: string): Promise<void> {
  if (process.platform !== 'linux') return
  for (let waited = 0; waited < KILLED_MS_MAX; waited += POLL_MS) {
    const left = await backendsIn(path)
    if (left.length === 0) return
    for (const pid of left) kill(pid)
    await delay(POLL_MS)
  }
}

/** All of PostgreSQL's processes stand in the data directory. */
async function backendsIn(path: string): Promise<number[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = names.map(async (name) => {
    const [folder, program] = await Promise.all([
      readlink(`/proc/${name}/cwd`),
      readlink(`/proc/${name}/exe`),
    ]).catch(() => [])
    const isOurs = folder === path && basename(program ?? '').startsWith('postgres')
    return isOurs ? [Number(name)] : []
  })
  return (await Promise.all(found)).flat()
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/** Empty where there is no such process. */
async function commandOf(pid: number): Promise<string> {
  try {
    return process.platform === 'linux'
      ? (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ')
      : (await run('ps', ['-o', 'command=', '-p', String(pid)])).stdout
  } catch {
    return ''
  }
}
