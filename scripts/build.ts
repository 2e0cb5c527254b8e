/** Writes dist/: each published package as JavaScript, with its types, assets and manifest. */
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

interface Package {
  /** Folder of the sources, which are published in the same shape. */
  readonly from: string
  readonly to: string
  /** What lies beside the code and is not code. */
  readonly data?: string
}

const packages: Package[] = [
  { from: 'gen', to: 'dist/proto' },
  { from: 'clients/ts', to: 'dist/client' },
  { from: 'gateway', to: 'dist/porthouse' },
  { from: 'conformance', to: 'dist/conformance', data: 'cases/**/*.yaml' },
]

/** What the emitted code runs on: development needs more, since it runs the TypeScript itself. */
const engines = { node: '>=22.12' }

rmSync('dist', { recursive: true, force: true })
const compiler = spawnSync('node_modules/.bin/tsc', ['-b', 'tsconfig.build.json'], {
  stdio: ['ignore', 2, 2],
})
if (compiler.status !== 0) process.exit(1)
for (const one of packages) {
  copyAssets(one)
  writeFileSync(join(one.to, 'package.json'), manifest(one.from))
  cpSync('LICENSE', join(one.to, 'LICENSE'))
  const readme = join(one.from, 'README.md')
  cpSync(existsSync(readme) ? readme : 'README.md', join(one.to, 'README.md'))
}

/** Such as SQL migrations. */
function copyAssets({ from, to, data = '**/*.{sql,json}' }: Package): void {
  const assets = globSync(data, {
    cwd: from,
    exclude: (path) => path === 'node_modules' || /^(package|tsconfig.*)\.json$/.test(path),
  })
  for (const asset of assets) {
    mkdirSync(dirname(join(to, asset)), { recursive: true })
    cpSync(join(from, asset), join(to, asset))
  }
}

/** The package's manifest, with each path to TypeScript turned into what was emitted from it. */
function manifest(from: string): string {
  const source = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as {
    exports?: Record<string, string>
  }
  const exports = Object.fromEntries(
    Object.entries(source.exports ?? {}).map(([name, path]) => [
      name,
      { types: path.replace(/\.ts$/, '.d.ts'), default: path },
    ]),
  )
  const files = ['**/*.js', '**/*.d.ts', '**/*.sql', '**/*.json', '**/*.yaml']
  return `${JSON.stringify({ ...source, engines, exports, files }, emitted, 2)}\n`
}

function emitted(_: string, value: unknown): unknown {
  const isSource = typeof value === 'string' && /^\.\/.*(?<!\.d)\.ts$/.test(value)
  return isSource ? value.replace(/\.ts$/, '.js') : value
}
