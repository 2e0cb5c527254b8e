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

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest
}
