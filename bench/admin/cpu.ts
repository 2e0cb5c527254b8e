/** What a process has spent: user and kernel, all threads. */
import { readdirSync, readFileSync } from 'node:fs'

/** In microseconds so far. */
export function cpuOf(pid: number): number {
  const tasks = `/proc/${pid}/task`
  const spent = readdirSync(tasks).map((thread) => {
    return Number(readFileSync(`${tasks}/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1000
  })
  return spent.reduce((sum, each) => sum + each, 0)
}
