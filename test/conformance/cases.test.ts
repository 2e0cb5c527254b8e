/** The cases themselves: enough of them, each about a clause that there is, none named twice. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { clientRuns, serverRuns } from '../../conformance/runner/cases.ts'
import { clausesOf } from '../../conformance/runner/clauses.ts'

const runs = [...serverRuns(), ...clientRuns()]
const clauses = clausesOf('docs/protocol.md')

describe('the cases', () => {
  test('are at least 400 by name, of at least 150 scenarios', () => {
    expect(new Set(runs.map(({ name }) => name)).size).toBe(runs.length)
    expect(runs.length).toBeGreaterThanOrEqual(400)
    const scenarios = new Set(runs.map(({ name }) => name.split('/').slice(0, 2).join('/')))
    expect(scenarios.size).toBeGreaterThanOrEqual(150)
  })

  test('say what must be so, and cite clauses that there are', () => {
    const unclear = runs.filter(({ about, clauses }) => about === '' || clauses.length === 0)
    expect(unclear.map(({ name }) => name)).toEqual([])
    const unknown = runs.flatMap(({ name, clauses: cited }) =>
      cited.filter((clause) => !clauses.includes(clause)).map((clause) => `${name} ${clause}`),
    )
    expect(unknown).toEqual([])
  })

  test('have names of lower case letters, digits and "-"', () => {
    expect(runs.map(({ name }) => name).filter((name) => !/^[a-z0-9-/]+$/.test(name))).toEqual([])
  })

  test('are listed one a line', () => {
    const { stdout, status } = spawnSync('bin/porthouse-conformance', ['--list'], {
      encoding: 'utf8',
    })
    expect(status).toBe(0)
    expect(stdout.trim().split('\n')).toEqual(runs.map(({ name }) => name))
  })
})

test('the clauses are all of the document', () => {
  const cited = readFileSync('docs/protocol.md', 'utf8').match(/^- \[PH-\d+\.\d+\]/gm)
  expect(clauses).toHaveLength(cited!.length)
})
