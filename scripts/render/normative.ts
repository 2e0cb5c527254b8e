import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Statement } from '../../test/mqtt/normative/statement.ts'
import { statements as of311 } from '../../test/mqtt/normative/statements-3.1.1.ts'
import { statements as of5 } from '../../test/mqtt/normative/statements-5.ts'
import { renderTable } from './table.ts'

const TESTS = new URL('../../test/mqtt/normative/', import.meta.url).pathname

/** A test, and the statements that it says it proves. */
export interface Proof {
  /** Of its file, without the ending. */
  readonly area: string
  readonly title: string
  readonly v311: readonly string[]
  readonly v5: readonly string[]
}

/** Every call of `proves` in the tests. Throws where one is written so that it cannot be read. */
export function proofs(): Proof[] {
  const files = readdirSync(TESTS).filter((file) => file.endsWith('.test.ts'))
  return files.toSorted().flatMap((file) => proofsIn(file, readFileSync(join(TESTS, file), 'utf8')))
}

function proofsIn(file: string, text: string): Proof[] {
  const calls = [...text.matchAll(/^proves\(\s*(['"])(.*?)\1,\s*\{([^}]*)\}/gms)]
  const all = text.match(/^proves\(/gm) ?? []
  if (calls.length !== all.length) throw new Error(`${file}: a call of proves is not literal`)
  return calls.map(([, , title = '', proven = '']) => ({
    area: basename(file, '.test.ts'),
    title,
    v311: numbers(proven, 'v311'),
    v5: numbers(proven, 'v5'),
  }))
}

function numbers(proven: string, version: 'v311' | 'v5'): string[] {
  const [, found] = proven.match(new RegExp(`\\b${version}:\\s*'([^']*)'`)) ?? []
  return found?.split(' ') ?? []
}

const heading = `# MQTT, statement by statement

Rendered from [the statements and their tests](../../test/mqtt/normative) by \`make generate\`; edit
them there.

What the standards number as mandatory, in our words, whom it binds, and what became of it here:

- *area*: a test of that name, over a bare socket against a real gateway, mostly in a room that
  keeps nothing and in a durable one;
- **clients**: a duty of clients alone, of which a server can at most refuse the neglect; where it
  does, the test of that stands here, too;
- **moot**: a case that does not arise, and why.

How topics, rooms and codes go together says
[gateway/ingress/mqtt](../../gateway/ingress/mqtt/README.md).
`

const head = ['Statement', 'Binds', 'Demands', 'Here']

/** docs/mqtt/normative.md: a row for each statement, by version and number. */
export function renderNormative(): string {
  const all = proofs()
  const tables = [
    ['3.1.1', of311, 'v311'],
    ['5', of5, 'v5'],
  ] as const
  const parts = tables.map(([version, statements, key]) => {
    const rows = statements.map((statement) => {
      const [id, on, demands] = statement
      return [
        `MQTT-${id}`,
        on,
        demands,
        here(
          statement,
          all.filter((one) => one[key].includes(id)),
        ),
      ]
    })
    return `\n## MQTT ${version}\n\n${sum(rows)}\n\n${renderTable(head, rows)}`
  })
  return heading + areas(all) + parts.join('')
}

/** Where the tests are. */
function areas(all: readonly Proof[]): string {
  const names = [...new Set(all.map(({ area }) => area))]
  const links = names.map((name) => `- [${name}](../../test/mqtt/normative/${name}.test.ts)\n`)
  return `\n## Areas\n\n${links.join('')}`
}

function here([, on, , moot]: Statement, proven: readonly Proof[]): string {
  if (moot) return `**moot**: ${moot.moot}`
  const tests = proven.map(({ area, title }) => `*${area}*: ${title}`)
  if (tests.length === 0) return on === 'client' ? '**clients**' : '**open**'
  return tests.join('; ')
}

function sum(rows: readonly string[][]): string {
  const count = (start: string) => rows.filter(([, , , cell]) => cell?.startsWith(start)).length
  const parts = [
    `${rows.length} statements`,
    `${count('*') - count('**')} with tests`,
    `${count('**clients')} for clients alone`,
    `${count('**moot')} moot`,
  ]
  const open = count('**open')
  return `${parts.join(', ')}${open > 0 ? `, ${open} open` : ''}.`
}
