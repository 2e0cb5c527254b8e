/** Profiles: gateways that the user has logged in to, in a file that is his alone. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure, usage } from '../failure.ts'

export interface Profile {
  /** Origin of the gateway. */
  readonly url: string
  /** An API key, or the operator's key. */
  readonly key: string
}

interface Kept {
  /** Name of the one that counts where none is named. */
  readonly chosen?: string
  readonly profiles: Readonly<Record<string, Profile>>
}

const FILE = 'profiles.json'
const NONE: Kept = { profiles: {} }

export class Profiles {
  readonly #kept: Kept

  constructor(kept: Kept) {
    this.#kept = kept
  }

  get chosen(): Profile | undefined {
    const { chosen, profiles } = this.#kept
    return chosen === undefined ? undefined : profiles[chosen]
  }

  /** Throws a Failure of usage. */
  get(name: string): Profile {
    const { profiles } = this.#kept
    const found = Object.hasOwn(profiles, name) ? profiles[name] : undefined
    if (found) return found
    throw usage(`there is no profile ${name}; porthouse login --profile ${name} --url URL makes it`)
  }

  /** The key of a gateway; of several profiles for one, that of the chosen. */
  keyAt(url: string): string | undefined {
    const all = [this.chosen, ...Object.values(this.#kept.profiles)]
    return all.find((each) => each?.url === url)?.key
  }
}

/** Rejects with a Failure where the file cannot be read. */
export async function readProfiles(folder: string): Promise<Profiles> {
  const file = join(folder, FILE)
  try {
    return new Profiles(JSON.parse(await readFile(file, 'utf8')) as Kept)
  } catch (error) {
    const { code = 'CONFIG', message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return new Profiles(NONE)
    throw new Failure(code, `the profiles in ${file} cannot be read: ${message}`)
  }
}
