/** Processor time of other processes, in seconds, user and kernel, by /proc (proc(5)). */
import { readFileSync } from 'node:fs'

/** USER_HZ, which Linux keeps at 100 for programs. */
const TICKS_PER_SECOND = 100

/** Where utime, stime, cutime and cstime stand behind the name of the program. */
const OWN = [11, 12]
const OF_ENDED_CHILDREN = [13, 14]

export function cpuOf(pid: number, fields: readonly number[] = OWN): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const values = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.reduce((sum, field) => sum + Number(values[field]), 0) / TICKS_PER_SECOND
}

/** A process with its children, those that have ended among them. */
export function cpuOfFamily(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  const living = children.map((child) => {
    try {
      return cpuOf(Number(child))
    } catch {
      // It has just ended: it is counted with its parent.
      return 0
    }
  })
  return living.reduce((sum, each) => sum + each, cpuOf(pid, [...OWN, ...OF_ENDED_CHILDREN]))
}
