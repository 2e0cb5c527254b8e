/** Finds a program's module in the folder, and what it is made of. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Program } from '../room.ts'

const ENDINGS = ['.ts', '.mts', '.js', '.mjs']
const HOOKS = ['state', 'initial', 'message', 'left'] as const

/** Rejects where there is none, or it is no program. A module is loaded once. */
export async function loadProgram(folder: string, name: string): Promise<Program<unknown>> {
  const files = ENDINGS.map((ending) => join(folder, name + ending))
  const file = files.find((each) => existsSync(each))
  if (!file) throw new Error(`no module ${name} in the folder of programs`)
  const { default: program } = (await import(pathToFileURL(file).href)) as { default?: unknown }
  if (typeof program !== 'object' || program === null) {
    throw new Error(`module ${name} has no default export of defineRoom`)
  }
  for (const hook of HOOKS) {
    const kind = typeof (program as Program<unknown>)[hook]
    if (kind !== 'undefined' && kind !== 'function') {
      throw new Error(`module ${name}: ${hook} is no function`)
    }
  }
  return program as Program<unknown>
}
