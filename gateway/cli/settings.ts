/** The config as a command sees it: from its options, the environment and the file. */
import { type Flags, type Loaded, loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import { EXIT, Failure } from './failure.ts'

/** Options of `porthouse run` and `porthouse config`. */
export type RunOptions = Flags & { readonly config?: string }

/** Throws a Failure that names every wrong key. */
export function readSettings({ config: file, ...flags }: RunOptions): Loaded {
  try {
    return loadConfig({ flags, ...(file && { file }) })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw configFailure(error)
  }
}

export function configFailure(error: ConfigError): Failure {
  return new Failure('CONFIG', error.message, EXIT.usage, error)
}
