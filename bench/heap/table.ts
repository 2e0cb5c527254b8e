/** An account of memory as text. */
import type { Account } from './account.ts'

const NAME = 52
const WIDTH = 9

function line(name: string, bytes: number, count?: number): string {
  const counted = count === undefined ? '' : count.toFixed(2)
  return `${name.padEnd(NAME)}${bytes.toFixed(0).padStart(WIDTH)}${counted.padStart(WIDTH)}`
}

/** Without kinds of fewer than `least` bytes a connection. */
export function accountTable({ protocol, connections, memory, sources }: Account, least: number) {
  const all = sources.reduce((sum, { bytes }) => sum + bytes, 0)
  const rows = sources
    .filter(({ bytes }) => bytes >= least)
    .flatMap(({ from, bytes, kinds }) => [
      line(from, bytes),
      ...kinds
        .filter((kind) => kind.bytes >= least)
        .map(({ name, bytes, count }) => line(`  ${name.slice(0, NAME - 3)}`, bytes, count)),
    ])
  return [
    `${protocol}: ${connections} idle connections, bytes and objects of each`,
    ...rows,
    line('in the snapshot', all),
    '',
    line('heap, in use', memory.heapUsed),
    line('heap, taken from the system', memory.heapTaken),
    line('buffers', memory.buffers),
    line('resident', memory.resident),
    line('resident, beside heap and buffers', memory.resident - memory.heapTaken - memory.buffers),
    '',
  ].join('\n')
}
