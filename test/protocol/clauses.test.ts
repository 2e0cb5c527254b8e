import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const protocol = readFileSync(`${root}/docs/protocol.md`, 'utf8')

/** Section and clause numbers, as the document gives them. */
const clauses = [...protocol.matchAll(/^- \[PH-(\d+)\.(\d+)\]/gm)].map(
  ([, section, clause]) => [Number(section), Number(clause)] as const,
)
const sections = [...protocol.matchAll(/^## (\d+)\. /gm)].map(([, section]) => Number(section))

describe('the clauses of the protocol', () => {
  test('are numbered in order, within sections in order', () => {
    expect(sections).toEqual(sections.map((_, i) => i + 1))
    const order = clauses.map(([section, clause]) => section * 1000 + clause)
    expect(order).toEqual([...new Set(order)].toSorted((a, b) => a - b))
    expect(new Set(clauses.map(([section]) => section))).toEqual(new Set(sections))
  })

  test('exist where the code, a test or a document cites them', () => {
    const known = new Set([
      ...sections.map((section) => `PH-${section}`),
      ...clauses.map(([section, clause]) => `PH-${section}.${clause}`),
    ])
    const files = globSync('{gateway,clients,test,bench,docs,conformance}/**/*.{ts,go,md}', {
      cwd: root,
      exclude: (path) => path.includes('node_modules'),
    })
    const unknown = files.flatMap((file) =>
      [...readFileSync(`${root}/${file}`, 'utf8').matchAll(/\bPH-\d+(?:\.\d+)?/g)]
        .filter(([cited]) => !known.has(cited))
        .map(([cited]) => `${file} cites ${cited}`),
    )
    expect(unknown).toEqual([])
  })
})
