/** The golden frames of conformance/frames, their runs written out. */
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { JsonValue } from '@bufbuild/protobuf'
import type { Limits } from '../../gateway/protocol/limits.ts'

export interface GoldenFrame {
  readonly description: string
  readonly from: 'client' | 'gateway' | 'both'
  /** Absent where a text that is refused has no bytes. */
  readonly hex?: string
  readonly json?: string
  readonly packet?: { readonly frames?: readonly JsonValue[] }
  readonly decodeOnly?: true
  readonly refused?: string
  readonly limits?: Partial<Limits>
}

type Run = { text: string; times: number } | { element: JsonValue; times: number }

export const framesFolder = fileURLToPath(new URL('../../conformance/frames', import.meta.url))

/** All of a folder by their names, which are their paths without `.json`. */
export function goldenFrames(folder = framesFolder): [name: string, golden: GoldenFrame][] {
  const files = globSync('**/*.json', { cwd: folder }).toSorted()
  if (files.length === 0) throw new Error(`no golden frames in ${folder}`)
  return files.map((file) => {
    const { runs, ...written } = JSON.parse(readFileSync(`${folder}/${file}`, 'utf8'))
    const golden = runs ? writtenOut(written, new Map(Object.entries(runs))) : written
    return [file.replace(/\.json$/, ''), golden as GoldenFrame]
  })
}

export function bytesOf({ hex = '' }: GoldenFrame): Buffer {
  return Buffer.from(hex, 'hex')
}

/** `<A>` in a text is A's text so often; as an element of a list, A's element so often. */
function writtenOut(value: JsonValue, runs: ReadonlyMap<string, Run>): JsonValue {
  if (typeof value === 'string') {
    return value.replaceAll(/<([A-Z])>/g, (_, name) => textOf(runs.get(name)))
  }
  if (Array.isArray(value)) return value.flatMap((element) => elementsOf(element, runs))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, inner].map(inside))
  return Object.fromEntries(entries)

  function inside(part: JsonValue): JsonValue {
    return writtenOut(part, runs)
  }
}

function textOf(run: Run | undefined): string {
  if (!run || !('text' in run)) throw new Error('no such run of text')
  return run.text.repeat(run.times)
}

function elementsOf(element: JsonValue, runs: ReadonlyMap<string, Run>): JsonValue[] {
  const run = typeof element === 'string' ? runs.get(element.replace(/^<(.)>$/, '$1')) : undefined
  if (!run || !('element' in run)) return [writtenOut(element, runs)]
  return Array<JsonValue>(run.times).fill(writtenOut(run.element, runs))
}
