/** What Prometheus would see. */

export interface Series {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export class Scraped {
  readonly text: string
  readonly series: readonly Series[]

  constructor(text: string) {
    this.text = text
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    this.series = lines.map(seriesOf)
  }

  /** Of those with these labels, the sum; 0 where there are none. */
  of(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const wanted = Object.entries(labels)
    return this.series
      .filter((each) => each.name === name && wanted.every(([key, v]) => each.labels[key] === v))
      .reduce((sum, { value }) => sum + value, 0)
  }
}

function seriesOf(line: string): Series {
  const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
  if (name === '') throw new Error(`not a line of Prometheus: ${line}`)
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
  return {
    name,
    labels: Object.fromEntries(pairs.map(([, key = '', text = '']) => [key, text])),
    value: Number(value),
  }
}

/** `key`: to be shown as Bearer. Rejects where the answer is no page. */
export async function scrape(port: number, key?: string): Promise<Scraped> {
  const response = await fetchMetrics(port, key)
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`)
  return new Scraped(await response.text())
}

export function fetchMetrics(port: number, key?: string): Promise<Response> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
  return fetch(`http://127.0.0.1:${port}/metrics`, { headers })
}
