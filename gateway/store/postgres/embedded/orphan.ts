/** A PostgreSQL whose supervisor was killed, or whose data folder was taken away. */
import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { STOPS, socketsSetting } from './postmaster.ts'

const run = promisify(execFile)
const POLL_MS = 20

/**
 * Ends the one that still runs in a data directory or on a socket, and clears what a killed one has
 * left there: PostgreSQL would refuse both where the old pid is another process's by now.
 */
export async function endOrphan(path: string, sockets: string): Promise<void> {
  const socket = join(sockets, '.s.PGSQL.5432')
  for (const pidFile of [join(path, 'postmaster.pid'), `${socket}.lock`]) {
    const text = await readFile(pidFile, 'utf8').catch(() => '')
    if (text !== '') await end(Number.parseInt(text, 10), sockets)
    await rm(pidFile, { force: true })
  }
  await rm(socket, { force: true })
}

async function end(pid: number, sockets: string): Promise<void> {
  for (const [signal, ms] of STOPS) {
    if (!(await listensIn(sockets, pid))) return
    process.kill(pid, signal)
    for (let waited = 0; waited < ms && (await listensIn(sockets, pid)); waited += POLL_MS) {
      await delay(POLL_MS)
    }
  }
}

/** Whether that process is a PostgreSQL of this data folder, by its command line. */
async function listensIn(sockets: string, pid: number): Promise<boolean> {
  try {
    const command =
      process.platform === 'linux'
        ? (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ')
        : (await run('ps', ['-o', 'command=', '-p', String(pid)])).stdout
    return command.includes(socketsSetting(sockets))
  } catch {
    return false
  }
}
