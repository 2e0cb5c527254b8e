/** What the system lets the process have. */
import { readFile } from 'node:fs/promises'
import type { Config } from '../../config/config.ts'
import { doubtful, type Finding, good } from './finding.ts'

/** Files that a gateway has open beside its sockets. */
const BESIDE = 128

/** `pid`: of the gateway that runs, if one does. */
export async function checkLimits({ connections }: Config, pid: number | undefined) {
  const files = await openFiles(pid ?? process.pid)
  // Where there is no such file nobody knows, and macOS has no hard limit to speak of.
  return files === undefined ? [] : [judged(files, connections.max)]
}

function judged(files: number, sockets: number): Finding {
  const needed = sockets + BESIDE
  const detail = `${files} files may be open, for ${sockets} sockets`
  if (files >= needed) return good('open files', detail)
  const next = `ulimit -n ${needed}, or connections.max ${Math.max(1, files - BESIDE)}`
  return doubtful('open files', detail, next)
}

/** The soft limit of a process, as Linux tells it. */
async function openFiles(pid: number): Promise<number | undefined> {
  const limits = await readFile(`/proc/${pid}/limits`, 'utf8').catch(() => '')
  const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(limits) ?? []
  if (soft === undefined) return undefined
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
}
