import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'

/** Text by name, in groups; `a.b` names b in the group a. */
interface Words {
  readonly [name: string]: string | Words
}

const TEMPLATE = 'clients/README.md.template'
const SOURCE = '<!-- Rendered by `make generate` from ../README.md.template and readme.yaml. -->'
const LINE_LENGTH = 110
const NAME = /\{\{([\w.-]+)\}\}/g

/** The README of each client that has a readme.yaml. */
export function renderClientReadmes(): Record<string, string> {
  const template = readFileSync(TEMPLATE, 'utf8')
  const files = globSync('clients/*/readme.yaml').toSorted()
  return Object.fromEntries(
    files.map((file) => {
      const folder = dirname(file)
      const words = parse(readFileSync(file, 'utf8')) as Words & { samples: { hello: string } }
      const hello = programOf(join(folder, words.samples.hello))
      return [join(folder, 'README.md'), fill(template, flat({ ...words, hello }), file)]
    }),
  )
}

/**
 * What a language has no words for is left out: the row of a table, else the paragraph; and so is
 * the table or section of which nothing is left. Throws where there are words without a place.
 */
function fill(template: string, words: ReadonlyMap<string, string>, file: string): string {
  const known = new Set([...template.matchAll(NAME)].map(([, name]) => name))
  const lost = [...words.keys()].filter((name) => !known.has(name))
  if (lost.length > 0) throw new Error(`${file}: ${TEMPLATE} has no place for ${lost}`)
  const filled = (text: string) => {
    const names = [...text.matchAll(NAME)].map(([, name]) => name!)
    if (!names.every((name) => words.has(name))) return []
    return [text.replaceAll(NAME, (_, name: string) => words.get(name)!)]
  }
  const blocks = template
    .trim()
    .split('\n\n')
    .flatMap((block) => {
      if (!block.startsWith('|'))
        return filled(block).map((each) => (isProse(block) ? wrap(each) : each))
      const [head, line, ...rows] = block.split('\n')
      const kept = rows.flatMap(filled)
      return kept.length > 0 ? [[head, line, ...kept].join('\n')] : []
    })
  const isHeading = (block = '#') => /^#+ .*$|^#$/.test(block)
  const kept = blocks.filter((block, at) => !(isHeading(block) && isHeading(blocks[at + 1])))
  return `${[SOURCE, ...kept].join('\n\n')}\n`
}

/** Sentences with words in them; what a language says as a whole has lines of its own. */
const isProse = (block: string) => /^[A-Z]|^\{\{[\w.-]+\}\} /.test(block)

function wrap(text: string): string {
  const lines: string[] = ['']
  for (const word of text.split(/\s+/)) {
    const line = `${lines.at(-1)} ${word}`.trimStart()
    if (line.length <= LINE_LENGTH) lines[lines.length - 1] = line
    else lines.push(word)
  }
  return lines.join('\n')
}

function flat(words: Words, before = ''): Map<string, string> {
  return new Map(
    Object.entries(words).flatMap(([name, value]) =>
      typeof value === 'object'
        ? [...flat(value, `${before}${name}.`)]
        : [[`${before}${name}`, `${value}`.trim()] as const],
    ),
  )
}

/** Without the comment at its top, which is for who reads the file. */
function programOf(file: string): string {
  return readFileSync(file, 'utf8')
    .replace(/^(\/\*[\s\S]*?\*\/|(\/\/.*\n)+)\s*/, '')
    .trim()
}
