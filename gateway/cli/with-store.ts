/** Commands that work on the store itself, whether a gateway runs beside them or not. */
import type { Config } from '../config/config.ts'
import { type Log, openLog } from '../observe/log.ts'
import { type Store, StoreError } from '../store/store.ts'
import { EXIT, Failure } from './failure.ts'
import { readSettings } from './settings.ts'

/** What each of these commands takes. */
export interface StoreOptions {
  readonly config?: string
  readonly data?: string
  readonly json?: boolean
}

/** What a command on the store may need beside it. */
export interface Around {
  readonly config: Config
  readonly log: Log
}

/** Opens the store that the settings name, for as long as `use` takes. */
export async function withStore<T>(
  { config: file, data }: StoreOptions,
  use: (store: Store, around: Around) => Promise<T>,
): Promise<T> {
  const { config } = readSettings({ ...(file && { config: file }), ...(data && { data }) })
  // Loaded here, for a wrong command line is told without a database's driver.
  const { openStore } = await import('../store/postgres/open.ts')
  // What the store has to say is told by its errors; a command's stderr is for its own one line.
  const { log } = openLog('silent')
  try {
    const store = await openStore({ url: config.databaseUrl, dataDir: config.data, log })
    try {
      return await use(store, { config, log })
    } finally {
      await store.close()
    }
  } catch (error) {
    throw storeFailure(error)
  }
}

/** A StoreError as a command's failure; anything else as it is. */
export function storeFailure(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error
  const ofFolder = folderFailure(error.cause)
  if (ofFolder) return ofFolder
  const exit = error.failure === 'unavailable' ? EXIT.unavailable : EXIT.failed
  return new Failure(error.failure.toUpperCase(), error.message, exit, error)
}

/** Undefined where it was not the data folder that could not be used: the error has no path. */
export function folderFailure(error: unknown): Failure | undefined {
  const { code, path, message } = (error ?? {}) as NodeJS.ErrnoException
  if (!code || !path) return undefined
  return new Failure(code, `${message}; choose another folder with --data DIR`, EXIT.failed, error)
}
