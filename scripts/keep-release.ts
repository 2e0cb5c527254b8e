/**
 * Keeps what a release is held to by all later ones, in conformance/released: the image of its
 * schema, and its golden frames, one a line. Those of `future` are left out, since they say what
 * the release does not know; and those that are refused, since more may be understood later.
 */
import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'

const { version } = JSON.parse(readFileSync('gateway/package.json', 'utf8'))
const folder = `conformance/released/v${version}`
mkdirSync(folder, { recursive: true })
execFileSync('node_modules/.bin/buf', ['build', '-o', `${folder}/schema.binpb`])

const cwd = 'conformance/frames'
const frames = globSync('**/*.json', { cwd, exclude: ['future/**'] })
  .toSorted()
  .map((file) => {
    const name = file.replace(/\.json$/, '')
    return { name, ...JSON.parse(readFileSync(`${cwd}/${file}`, 'utf8')) }
  })
  .filter((golden) => golden.refused === undefined)
writeFileSync(
  `${folder}/frames.jsonl`,
  frames.map((golden) => `${JSON.stringify(golden)}\n`).join(''),
)
console.log(`${folder}: the schema, and ${frames.length} frames`)
