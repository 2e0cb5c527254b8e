/** System calls of a process's first thread, counted by strace. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/**
 * What V8 calls for its memory and its helpers, when it likes: memory is guarded by what is
 * allocated.
 */
const V8 = ['futex', 'mmap', 'munmap', 'madvise', 'mprotect', 'brk', 'restart_syscall']

export interface Syscalls {
  readonly all: number
  /** Of any kind. */
  readonly writes: number
}

const WRITES = /^(write|writev|pwrite64|sendto|sendmsg|sendmmsg)$/

/** Counts while `run` runs. Tracing makes each call slower, and no other. */
export async function syscallsDuring(pid: number, run: () => Promise<void>): Promise<Syscalls> {
  const folder = await mkdtemp(join(tmpdir(), 'porthouse-cost-'))
  const file = join(folder, 'counts')
  try {
    const args = ['-c', '-U', 'calls,name', '-p', `${pid}`, '-o', file]
    const strace = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] })
    const ended = once(strace, 'exit')
    await attached(strace.stderr)
    await run()
    strace.kill('SIGINT')
    await ended
    return read(await readFile(file, 'utf8'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function attached(output: NodeJS.ReadableStream): Promise<void> {
  let said = ''
  for await (const line of createInterface({ input: output })) {
    if (/attached/.test(line)) return
    said += line
  }
  throw new Error(`strace: ${said}`)
}

function read(table: string): Syscalls {
  const counts = table.matchAll(/^ *(\d+) +(\w+)$/gm)
  let all = 0
  let writes = 0
  for (const [, calls, name] of counts) {
    if (name === 'total' || V8.includes(name!)) continue
    all += Number(calls)
    if (WRITES.test(name!)) writes += Number(calls)
  }
  return { all, writes }
}
