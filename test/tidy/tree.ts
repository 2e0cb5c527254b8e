/** The tree as it would be committed: what git tracks and what it would add. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { root } from './root.ts'

const generated = [
  /^gen\/es\//,
  /^clients\/\w+\/gen\//,
  /\/third_party\//,
  /\/migrations\//,
  /package-lock\.json$/,
  /^biome\.imports\.json$/,
]
const binary = /\.(binpb|png|ico)$/

export interface TextFile {
  /** From the root, with slashes. */
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
}

/** Every text file, generated ones among them. */
export const files: readonly TextFile[] = listed().map(read)

/** Files that people write, by the ends of their names. */
export function written(...endings: string[]): TextFile[] {
  return files
    .filter(({ path }) => endings.some((ending) => path.endsWith(ending)))
    .filter(({ path }) => !generated.some((pattern) => pattern.test(path)))
}

/** `path:line: text` of each line that matches, so that a failure names its places. */
export function linesMatching(among: readonly TextFile[], pattern: RegExp): string[] {
  return among.flatMap(({ path, lines }) =>
    lines.flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [])),
  )
}

function listed(): string[] {
  // The owner of a clone may be another user than the one who tests it.
  const args = ['-c', 'safe.directory=*', 'ls-files', '-z', '-co', '--exclude-standard']
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' })
    .split('\0')
    .filter((path) => path !== '' && !binary.test(path) && existsSync(resolve(root, path)))
}

function read(path: string): TextFile {
  const text = readFileSync(resolve(root, path), 'utf8')
  return { path, text, lines: text.replace(/\n$/, '').split('\n') }
}
