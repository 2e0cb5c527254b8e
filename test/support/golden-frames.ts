/** The golden frames of conformance/frames, their runs written out. */
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { JsonValue } from '@bufbuild/protobuf'
import type { Limits } from '../../gateway/protocol/limits.ts'

export interface GoldenFrame {
  readonly description: string
  readonly from: 'client' | 'gateway' | 'both'
  /** Absent where a text that is refused has no bytes. */
  readonly hex?: string
  readonly json?: string
  readonly packet?: { frames?: JsonValue[] }
  readonly decodeOnly?: true
  readonly refused?: string
  readonly limits?: Partial<Limits>
}

type Run = { text: string; times: number } | { element: JsonValue; times: number }

type Named = [name: string, golden: GoldenFrame]

const conformance = fileURLToPath(new URL('../../conformance', import.meta.url))

/** All by their names, which are their paths without `.json`. */
export function goldenFrames(): Named[] {
  const cwd = `${conformance}/frames`
  return globSync('**/*.json', { cwd })
    .toSorted()
    .map((file) => [file.replace(/\.json$/, ''), goldenOf(readFileSync(`${cwd}/${file}`, 'utf8'))])
}

/** What is kept of a release: see scripts/keep-release.ts. */
export interface Release {
  readonly version: string
  readonly schema: Buffer
  readonly frames: Named[]
}

export function releases(): Release[] {
  const versions = readdirSync(`${conformance}/released`).toSorted()
  return versions.map((version) => {
    const folder = `${conformance}/released/${version}`
    const lines = readFileSync(`${folder}/frames.jsonl`, 'utf8').trimEnd().split('\n')
    const frames = lines.map((line): Named => [JSON.parse(line).name, goldenOf(line)])
    return { version, schema: readFileSync(`${folder}/schema.binpb`), frames }
  })
}

function goldenOf(json: string): GoldenFrame {
  const { runs, ...golden } = JSON.parse(json)
  return runs ? Object(writtenOut(golden, new Map(Object.entries(runs)))) : golden
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
