/** A PostgreSQL whose supervisor was killed. */
import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { STOPS } from './postmaster.ts'

const run = promisify(execFile)
const POLL_MS = 20

/** Ends the one that still runs in a data directory, and clears what one that was killed has left there. */
export async function endOrphan(path: string): Promise<void> {
  const pidFile = join(path, 'postmaster.pid')
  const text = await readFile(pidFile, 'utf8').catch(() => '')
  if (text === '') return
  const pid = Number.parseInt(text, 10)
  for (const [signal, ms] of STOPS) {
    if (!(await runsIn(path, pid))) break
    process.kill(pid, signal)
    for (let waited = 0; waited < ms && (await runsIn(path, pid)); waited += POLL_MS) {
      await delay(POLL_MS)
    }
  }
  // PostgreSQL would refuse to start where the pid is another process's by now; the lock says it is stale.
  await rm(pidFile, { force: true })
}

/** Whether that process has the data directory in its command line. */
async function runsIn(path: string, pid: number): Promise<boolean> {
  try {
    const command =
      process.platform === 'linux'
        ? (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ')
        : (await run('ps', ['-o', 'command=', '-p', String(pid)])).stdout
    return command.includes(`-D ${path} `)
  } catch {
    return false
  }
}
