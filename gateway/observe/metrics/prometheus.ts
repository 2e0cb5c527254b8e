/** The table of metrics as prom-client has it. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Distribution } from '../distribution.ts'
import { FAMILIES } from './families.ts'
import type { Distributions, Labels, Measured, Numbers, Sample } from './family.ts'

/** A page that reads all of it anew at each scrape. */
export function pageOf(measured: Measured): Registry {
  const page = new Registry()
  for (const family of FAMILIES) {
    if (family.type === 'histogram') page.registerMetric(new Distributed(family, measured))
    else if (family.type === 'counter') counter(page, family, measured)
    else gauge(page, family, measured)
  }
  return page
}

function described({ name, help, labels = [] }: Numbers | Distributions) {
  return { name, help, labelNames: [...labels], registers: [] }
}

function counter(page: Registry, family: Numbers, measured: Measured): void {
  const metric = new Counter({
    ...described(family),
    collect() {
      this.reset()
      for (const { value, labels = {} } of family.read(measured)) this.inc(labels, value)
    },
  })
  page.registerMetric(metric)
}

function gauge(page: Registry, family: Numbers, measured: Measured): void {
  const metric = new Gauge({
    ...described(family),
    collect() {
      this.reset()
      for (const { value, labels = {} } of family.read(measured)) this.set(labels, value)
    },
  })
  page.registerMetric(metric)
}

/** prom-client's own histogram counts by itself; this one was counted already. */
class Distributed extends Histogram {
  readonly #family: Distributions
  readonly #measured: Measured

  constructor(family: Distributions, measured: Measured) {
    super(described(family))
    this.#family = family
    this.#measured = measured
  }

  /** What a Registry asks a histogram for. */
  async getForPromString() {
    const { name, help, type } = this.#family
    const values = [...this.#family.read(this.#measured)].flatMap((sample) => this.#lines(sample))
    return { name, help, type, values, aggregator: 'sum' }
  }

  #lines({ value, labels = {} }: Sample<Distribution>) {
    const { name } = this.#family
    let count = 0
    const line = (suffix: string, number: number, more: Labels = {}) => {
      return { metricName: `${name}_${suffix}`, value: number, labels: { ...labels, ...more } }
    }
    const buckets = value.counts.map((each, i) => {
      count += each
      return line('bucket', count, { le: `${value.bounds[i] ?? '+Inf'}` })
    })
    return [...buckets, line('sum', value.sum), line('count', count)]
  }
}
