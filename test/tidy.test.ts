/** The rules that keep the tree readable; each failure names file and line. */
import { dirname, join } from 'node:path/posix'
import { describe, expect, test } from 'vitest'
import { layerOf, mayImportPackage } from './tidy/layers.ts'
import { files, linesMatching, type TextFile, written } from './tidy/tree.ts'

const LINE_LENGTH_MAX = 100
const FILE_LINES_MAX = 500
/** Tables, which are one thing however long they are. */
const TABLES = ['proto/porthouse/v1/code.proto']
/** Interfaces with names that are not ours to choose. */
const GRPC = 'proto/grpc/'
const FUNCTION_LINES_MAX = 70

const code = written('.ts', '.go', '.sh', '.proto', '.c', '.h', 'Makefile', '.ci/run')
const typescript = written('.ts')
const gateway = typescript.filter(({ path }) => path.startsWith('gateway/'))

describe('imports', () => {
  test('follow the table of layers', () => {
    expect(typescript.flatMap(forbiddenImports)).toEqual([])
  })

  test('every file of the gateway belongs to a layer', () => {
    const homeless = gateway.map(({ path }) => path).filter((path) => !layerOf(path))
    expect(homeless.filter((path) => !path.endsWith('.config.ts'))).toEqual([])
  })
})

describe('lengths', () => {
  test(`lines of code have at most ${LINE_LENGTH_MAX} characters`, () => {
    const ours = code.filter(({ path }) => !path.startsWith(GRPC))
    expect(linesMatching(ours, new RegExp(`^.{${LINE_LENGTH_MAX + 1},}$`, 'u'))).toEqual([])
  })

  test(`files have at most ${FILE_LINES_MAX} lines`, () => {
    const long = code.filter(
      ({ path, lines }) => lines.length > FILE_LINES_MAX && !TABLES.includes(path),
    )
    expect(long.map(({ path, lines }) => `${path}: ${lines.length}`)).toEqual([])
  })

  // The linter holds TypeScript's functions to the same number; see biome.jsonc.
  test(`Go functions have at most ${FUNCTION_LINES_MAX} lines`, () => {
    expect(written('.go').flatMap(longGoFunctions)).toEqual([])
  })
})

describe('leftovers and back doors', () => {
  test('nothing is left to do', () => {
    const marks = ['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].join('|')
    expect(linesMatching(files.filter(isOurs), new RegExp(`\\b(${marks})\\b`))).toEqual([])
  })

  test('the environment is read by the config alone', () => {
    const outside = gateway.filter(({ path }) => !path.startsWith('gateway/config/'))
    expect(linesMatching(outside, /process\.env\b/)).toEqual([])
  })

  test('clock and chance come in as parameters', () => {
    const pure = gateway.filter(({ path }) =>
      /^gateway\/(protocol|locks|router|rooms|session)\//.test(path),
    )
    const sources = /\b(Date\.now|new Date\(\)|performance\.now|Math\.random|random(UUID|Bytes))\b/
    expect(linesMatching(pure, sources)).toEqual([])
  })

  test('no machine of ours is named: no home folders, no registries', () => {
    const places = /(^|[\s'"`=(:])\/(home|root|Users|work)\//
    const registries = /\b(registry\.|npmjs\.|proxy\.golang\.|pypi\.)/
    expect(linesMatching(files.filter(isOurs), places)).toEqual([])
    expect(linesMatching(files.filter(isOurs), registries)).toEqual([])
  })
})

/** Licences, locks and vendored libraries are others' words; the lock has a test of its own. */
function isOurs({ path }: TextFile): boolean {
  if (path.includes('/third_party/')) return false
  return path !== 'LICENSE' && path !== 'package-lock.json' && !path.endsWith('go.sum')
}

function forbiddenImports({ path, text }: TextFile): string[] {
  const layer = layerOf(path)
  if (!layer) return []
  return specifiers(text)
    .filter((specifier) => {
      if (specifier.startsWith('#')) return false
      if (!specifier.startsWith('.')) return !mayImportPackage(layer, specifier)
      const target = layerOf(join(dirname(path), specifier))
      return !target || (target !== layer && !layer.layers.includes(target.name))
    })
    .map((specifier) => `${path} (${layer.name}) imports ${specifier}`)
}

/** What a module imports, statically or not; types count as well. */
function specifiers(text: string): string[] {
  const named =
    /^(?:import|export) (?:type )?(?:\w+, )?(?:\{[^}]*\}|\*(?: as \w+)?|\w+) from '([^']+)'/gm
  const bare = /\bimport(?: |\()'([^']+)'/g
  return [...text.matchAll(named), ...text.matchAll(bare)].map((match) => match[1] as string)
}

/** gofmt puts the end of a function at the start of a line. */
function longGoFunctions({ path, lines }: TextFile): string[] {
  return lines.flatMap((line, start) => {
    if (!line.startsWith('func ')) return []
    const length = lines.slice(start).indexOf('}') + 1
    return length > FUNCTION_LINES_MAX ? [`${path}:${start + 1}: ${length} lines`] : []
  })
}
