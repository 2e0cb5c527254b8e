/**
 * The operator's key: a file of the data folder, so that whoever may read the folder administers
 * the gateway, and nobody else does.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { showSecret } from '../../identity/secret.ts'
import { isSha256Of, sha256 } from '../../identity/sha256.ts'

/** What an operator's key starts with. */
const KIND = 'pho'

const FILE = 'operator.key'

/** How long what was read may be believed: as long as a change may take to be felt (R51). */
const LIFE_MS = 1_000

export function isOperatorSecret(text: string): boolean {
  return text.startsWith(`${KIND}_`)
}

/** The key of a data folder, made where there is none. Rejects with the system's error. */
export async function operatorKey(folder: string): Promise<string> {
  const found = await readOperatorKey(folder)
  if (found !== undefined) return found
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const key = newKey()
  // Two that begin at the same time agree on the one that is there first.
  const made = await write(folder, key, 'wx').then(
    () => key,
    () => readOperatorKey(folder),
  )
  return made ?? replaceOperatorKey(folder)
}

/** Puts another key in its place; the one before is void within a second. */
export async function replaceOperatorKey(folder: string): Promise<string> {
  const key = newKey()
  const beside = `${FILE}.${randomUUID()}`
  await writeFile(join(folder, beside), `${key}\n`, { mode: 0o600, flag: 'wx' })
  await rename(join(folder, beside), join(folder, FILE))
  return key
}

/** Compares what is shown with the key of a folder as it is, in constant time. */
export class OperatorKey {
  readonly #folder: string
  readonly #uptime: () => number
  #read: { readonly hash: Promise<Uint8Array | undefined>; readonly at: number } | undefined

  constructor(folder: string, uptime: () => number) {
    this.#folder = folder
    this.#uptime = uptime
  }

  async isRight(shown: string): Promise<boolean> {
    const hash = await this.#hash()
    return hash !== undefined && isSha256Of(shown, hash)
  }

  /** Read once for all who ask meanwhile; what could not be read is read again. */
  #hash(): Promise<Uint8Array | undefined> {
    const now = this.#uptime()
    if (!this.#read || now - this.#read.at >= LIFE_MS) {
      const hash = readOperatorKey(this.#folder).then((key) => {
        return key === undefined ? undefined : sha256(key)
      })
      this.#read = { hash, at: now }
      hash.catch(() => {
        this.#read = undefined
      })
    }
    return this.#read.hash
  }
}

function newKey(): string {
  return showSecret(KIND, randomUUID(), randomBytes(32))
}

/** Undefined where a folder has none. Rejects with the system's error. */
export async function readOperatorKey(folder: string): Promise<string | undefined> {
  try {
    const text = (await readFile(join(folder, FILE), 'utf8')).trim()
    return isOperatorSecret(text) ? text : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function write(folder: string, key: string, flag: 'wx'): Promise<void> {
  return writeFile(join(folder, FILE), `${key}\n`, { mode: 0o600, flag })
}
