/** Profiles: gateways that the user has logged in to, in a file that is his alone. */
import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure, usage } from '../failure.ts'

export interface Profile {
  /** Origin of the gateway. */
  readonly url: string
  /** What is shown to it as Bearer. */
  readonly key: string
}

interface Kept {
  /** Name of the one that counts where none is named. */
  chosen?: string
  readonly profiles: Record<string, Profile>
}

const FILE = 'profiles.json'

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/

export class Profiles {
  readonly #folder: string
  readonly #kept: Kept

  constructor(folder: string, kept: Kept) {
    this.#folder = folder
    this.#kept = kept
  }

  get names(): string[] {
    return Object.keys(this.#kept.profiles).toSorted()
  }

  /** Name of the chosen one. */
  get chosenName(): string | undefined {
    const { chosen, profiles } = this.#kept
    return chosen !== undefined && Object.hasOwn(profiles, chosen) ? chosen : undefined
  }

  get chosen(): Profile | undefined {
    return this.chosenName === undefined ? undefined : this.get(this.chosenName)
  }

  /** Throws a Failure of usage. */
  get(name: string): Profile {
    const { profiles } = this.#kept
    const found = Object.hasOwn(profiles, name) ? profiles[name] : undefined
    if (found) return found
    throw usage(
      `there is no profile ${name}; porthouse profile list shows those that are, and ` +
        `porthouse login --profile ${name} --url URL makes it`,
    )
  }

  /** The key of a gateway; of several profiles for one, that of the chosen. */
  keyAt(url: string): string | undefined {
    const all = [this.chosen, ...Object.values(this.#kept.profiles)]
    return all.find((each) => each?.url === url)?.key
  }

  /** Keeps a profile, and chooses it. */
  async put(name: string, profile: Profile): Promise<void> {
    this.#kept.profiles[name] = profile
    await this.choose(name)
  }

  /** Throws a Failure of usage. */
  async choose(name: string): Promise<void> {
    this.get(name)
    this.#kept.chosen = name
    await this.#write()
  }

  /** Throws a Failure of usage. */
  async remove(name: string): Promise<void> {
    this.get(name)
    delete this.#kept.profiles[name]
    if (this.#kept.chosen === name) delete this.#kept.chosen
    await this.#write()
  }

  /** Whole or not at all, and for nobody else to read. */
  async #write(): Promise<void> {
    const folder = this.#folder
    await mkdir(folder, { recursive: true, mode: 0o700 })
    // The mode above is for a new folder only.
    await chmod(folder, 0o700)
    const beside = join(folder, `${FILE}.${randomUUID()}`)
    const text = `${JSON.stringify(this.#kept, undefined, 2)}\n`
    await writeFile(beside, text, { mode: 0o600, flag: 'wx' })
    await rename(beside, join(folder, FILE))
  }
}

/** Throws a Failure of usage. */
export function checkProfileName(name: string): string {
  if (NAME.test(name)) return name
  throw usage(`${name} is no name of a profile; one is of a-z, 0-9 and -, at most 63 characters`)
}

/** Rejects with a Failure where the file cannot be read. */
export async function readProfiles(folder: string): Promise<Profiles> {
  const file = join(folder, FILE)
  try {
    return new Profiles(folder, JSON.parse(await readFile(file, 'utf8')) as Kept)
  } catch (error) {
    const { code = 'CONFIG', message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return new Profiles(folder, { profiles: {} })
    throw new Failure(code, `the profiles in ${file} cannot be read: ${message}`)
  }
}
