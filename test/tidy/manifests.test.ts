/** Manifests and the lock: exact versions, installable anywhere. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './root.ts'

interface Manifest {
  name: string
  version?: string
  license?: string
  workspaces?: string[]
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

const workspaces = manifest('.').workspaces ?? []
const manifests = ['.', ...workspaces].map(manifest)

test('every dependency has one exact version', () => {
  const ranges = manifests.flatMap((one) =>
    Object.entries({
      ...one.dependencies,
      ...one.devDependencies,
      ...one.optionalDependencies,
    })
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      .map(([name, version]) => `${one.name}: ${name}@${version}`),
  )
  expect(ranges).toEqual([])
})

test('the packages share one version and one licence', () => {
  const packages = workspaces.map(manifest)
  expect(new Set(packages.map(({ version }) => version)).size).toBe(1)
  expect(new Set(manifests.map(({ license }) => license))).toEqual(new Set(['Apache-2.0']))
})

test('the lock names no host, so that it installs anywhere', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { resolved?: string; link?: boolean; integrity?: string }>
  }
  const entries = Object.entries(lock.packages).filter(([path]) => path.includes('node_modules/'))
  const hosts = entries.filter(([, entry]) => entry.resolved !== undefined && !entry.link)
  expect(hosts.map(([path]) => path)).toEqual([])
  const unproven = entries.filter(([, entry]) => !entry.link && !entry.integrity)
  expect(unproven.map(([path]) => path)).toEqual([])
})

test('nothing that is installed with porthouse is of a version with known holes (S8)', () => {
  const floors = { ws: [8, 23, 0], 'drizzle-orm': [0, 45, 2] }
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version?: string; dev?: boolean }>
  }
  for (const [name, floor] of Object.entries(floors)) {
    const copies = Object.entries(lock.packages)
      .filter(([path, { dev }]) => !dev && path.endsWith(`node_modules/${name}`))
      .map(([, { version = '' }]) => version)
    expect(copies).not.toEqual([])
    const isBelow = (version: string) => {
      const parts = version.split('.').map(Number)
      const differs = parts.findIndex((part, i) => part !== floor[i])
      return differs !== -1 && !(parts[differs]! > floor[differs]!)
    }
    expect(copies.filter(isBelow)).toEqual([])
  }
})

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest
}
