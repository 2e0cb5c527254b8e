/** A soak as text: a line now and then, what has happened, and the verdict. */
import type { Found } from './soak.ts'
import type { Growth, Sample, Verdict } from './verdict.ts'

const WIDTH = 12
const memory = ['heap', 'code', 'buffers', 'resident'] as const
const counted = ['sessions', 'functions', 'maps', 'rooms', 'descriptors']

const row = (cells: readonly string[]) => cells.map((cell) => cell.padStart(WIDTH)).join('')
const kb = (bytes: number) => (bytes / 1024).toFixed(0)

/** Memory in KB. */
export const heading = row(['minute', 'round', ...memory, ...counted])

export function line(sample: Sample): string {
  const minute = (sample.seconds / 60).toFixed(1)
  const counts = { ...sample.objects, ...sample.counts }
  const others = counted.map((name) => String(counts[name]))
  return row([
    minute,
    String(sample.round + 1),
    ...memory.map((name) => kb(sample[name])),
    ...others,
  ])
}

export function tallied({ tallies, connections, cpuSeconds, samples }: Found): string {
  const { seconds = 0 } = samples.at(-1) ?? {}
  const share = ((100 * cpuSeconds) / seconds).toFixed(0)
  const gateway = `${connections} sockets in ${samples.length} rounds, ${share} % of a core`
  return [gateway, ...Object.entries(tallies).map(([what, count]) => `${count} ${what}`)].join('\n')
}

/** The last line. */
export function verdictLine({ used, resident, objects, grows }: Verdict): string {
  const perRound = Object.entries(objects).map(([name, count]) => `${signed(count)} ${name}`)
  const more = `${perRound.join(', ')} per 1,000 rounds`
  const growth = `in use ${told(used)}; resident ${told(resident)}; ${more}`
  if (grows.length === 0) return `soak: flat: ${growth}`
  return `soak: GROWS (${grows.join(', ')}): ${growth}`
}

function told({ perMinute, perThousandRounds }: Growth): string {
  return `${signed(perMinute)} KB/min, ${signed(perThousandRounds)} KB per 1,000 rounds`
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(0)}`
}
