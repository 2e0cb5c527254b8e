/** The tables that the durable benches print. */
import { columns } from '../report.ts'
import { summarize } from '../statistics.ts'
import type { Figures } from './figures.ts'
import type { Judgement } from './goals.ts'
import type { Leg } from './legs.ts'

type Rounds = Readonly<Record<string, readonly Figures[]>>

export function table(legs: readonly Leg[], rounds: Rounds): string {
  const head = ['W6', 'a second', '', 'p50 ms', 'p99 ms', 'CPU us', 'database', 'generator', '']
  const lines = legs.flatMap(({ id, title }) => {
    const found = rounds[id]
    return found ? [line(title, found)] : []
  })
  return columns([head, ...lines]).join('\n')
}

function line(title: string, found: readonly Figures[]): string[] {
  const median = (key: keyof Figures) =>
    summarize(found.map((each) => each[key] ?? Number.NaN)).median
  const rates = summarize(found.map(({ rate }) => rate / 1000))
  const stored = median('storedP99')
  return [
    title,
    `${rates.median.toFixed(1)}k`,
    `[${rates.min.toFixed(1)}..${rates.max.toFixed(1)}]`,
    median('p50').toFixed(2),
    median('p99').toFixed(2),
    median('serverCpu').toFixed(2),
    median('storeCpu').toFixed(2),
    `${Math.round(median('generatorLoad') * 100)} %`,
    Number.isNaN(stored) ? '' : `stored within ${stored.toFixed(1)} ms (p99)`,
  ]
}

export function goalLines(judgements: readonly Judgement[]): string {
  const lines = judgements.map(({ bound: { goal, says, least, most, legs }, value, met }) => {
    const bound = least === undefined ? `<= ${most}` : `>= ${least}x`
    const figure = Number.isNaN(value) ? 'failed' : value.toFixed(2)
    return [goal, legs[0], says, figure, bound, met ? 'met' : 'MISSED']
  })
  return columns(lines).join('\n')
}
