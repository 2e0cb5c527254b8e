/** Bars with whiskers, as SVG. */
import { rounded } from './report.ts'
import type { Summary } from './statistics.ts'

const ROW = 24
const NAME = 110
const LENGTH = 150
const FIGURE = 80

export type Row = Summary & { readonly peer: string }

/** A bar a peer, as long as its median, with a whisker from its least round to its most. */
export function bars(rows: readonly Row[], digits: number): string {
  const most = Math.max(...rows.flatMap(({ max }) => (Number.isFinite(max) ? [max] : [])), 0)
  const x = (value: number) => Number((Math.max(value, 0) * (LENGTH / (most || 1))).toFixed(1))
  const height = rows.length * ROW
  const lines = rows.map((row, n) => bar(row, n * ROW, digits, x))
  const size = `width="${NAME + LENGTH + FIGURE}" height="${height}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${lines.join('')}</svg>`
}

function bar(row: Row, y: number, digits: number, x: (value: number) => number): string {
  const { peer, median, min, max } = row
  const name = `<text x="0" y="${y + 16}">${escaped(peer)}</text>`
  if (![median, min, max].every(Number.isFinite)) return `${name}${label(NAME, y, '-')}`
  const ours = peer === 'floor' ? 'floor' : 'peer'
  const size = `x="${NAME}" y="${y + 5}" width="${x(median)}" height="${ROW - 10}"`
  const range = `${rounded(min, digits)} to ${rounded(max, digits)}`
  const rect = `<rect class="${peer === 'porthouse' ? 'own' : ours}" ${size}></rect>`
  const [from, to, middle] = [NAME + x(min), NAME + x(max), y + ROW / 2]
  const path = `M${from} ${middle - 4}v8M${from} ${middle}H${to}M${to} ${middle - 4}v8`
  const whisker = min < max ? `<path class="whisker" d="${path}"></path>` : ''
  const figure = label(to, y, rounded(median, digits))
  return `<g><title>${escaped(peer)}: ${range}</title>${name}${rect}${whisker}${figure}</g>`
}

function label(x: number, y: number, text: string): string {
  return `<text x="${x + 6}" y="${y + 16}">${text}</text>`
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
