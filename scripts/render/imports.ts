import { everywhere, type Layer, layers, mayImportPackage } from '../../test/tidy/layers.ts'

/** Packages that only some layers may import, and Node's own modules. */
const guarded = [...new Set(['node:*', ...layers.flatMap((layer) => layer.packages)])]

/** biome.imports.json: for each layer, what the linter refuses to let it import. */
export function renderImports(): string {
  const overrides = layers
    .toSorted((a, b) => a.path.length - b.path.length)
    .map((layer) => ({
      includes: [layer.path.endsWith('/') ? `${layer.path}**` : layer.path],
      linter: { rules: { style: { noRestrictedImports: refused(layer) } } },
    }))
  const lines = overrides.map((override) => JSON.stringify(override))
  return `{"overrides":[\n${lines.join(',\n')}\n]}\n`
}

function refused(layer: Layer) {
  const message = `not for ${layer.name} to import: see test/tidy/layers.ts`
  return {
    level: 'error',
    options: {
      patterns: [
        { group: refusedLayers(layer), message },
        { group: refusedPackages(layer), message },
      ],
    },
  }
}

function refusedLayers(layer: Layer): string[] {
  if (!layer.path.startsWith('gateway/')) return ['**/gateway/**']
  const named = layers
    .filter((other) => other !== layer && !layer.layers.includes(other.name))
    .flatMap((other) => other.named)
  // Some of its folders are named as layers are.
  return [...named, '!@porthouse/proto/**']
}

/** Gitignore patterns, the last match deciding: what is guarded and not the layer's own. */
function refusedPackages(layer: Layer): string[] {
  const allowed = [...everywhere, ...layer.packages]
  const refused = guarded.filter((name) => !mayImportPackage(layer, name))
  const kept = refused.includes('node:*') ? allowed.filter((name) => name.startsWith('node:')) : []
  return [...refused.flatMap((name) => [name, `${name}/**`]), ...kept.map((name) => `!${name}`)]
}
