/** The documents agree with the code, and their links lead somewhere. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { rendered } from '../../scripts/render/rendered.ts'
import { root } from './root.ts'
import { type TextFile, written } from './tree.ts'

test.each(Object.entries(rendered()))('%s is fresh; otherwise: make generate', (path, text) => {
  expect(readFileSync(join(root, path), 'utf8')).toBe(text)
})

test('every link resolves', () => {
  expect(written('.md').flatMap(brokenLinks)).toEqual([])
})

test('every decision is listed', () => {
  const pages = written('.md').filter(({ path }) => /^docs\/decisions\/\d{4}-/.test(path))
  const list = readFileSync(join(root, 'docs/decisions/README.md'), 'utf8')
  const missing = pages.filter(({ path }) => !list.includes(`(${basename(path)})`))
  expect(missing.map(({ path }) => path)).toEqual([])
})

function brokenLinks({ path, text }: TextFile): string[] {
  const prose = text.replace(/```[\s\S]*?```|`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] as string)
    .filter((link) => !/^(https?|mailto):/.test(link) && !resolves(path, link))
    .map((link) => `${path} links to ${link}`)
}

function resolves(from: string, link: string): boolean {
  const [file, anchor] = link.split('#')
  const target = file ? join(root, dirname(from), file) : join(root, from)
  if (!existsSync(target)) return false
  if (!anchor || statSync(target).isDirectory()) return !anchor
  return anchors(readFileSync(target, 'utf8')).includes(anchor)
}

/** Anchors as the common hosts make them from headings, and those set by hand. */
function anchors(markdown: string): string[] {
  const headings = [...markdown.matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] as string)
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
  const byHand = [...markdown.matchAll(/<a (?:id|name)="([^"]+)">/g)].map((m) => m[1] as string)
  return [...headings, ...byHand]
}
