/** What those who come and go in one round have before them. */
import type { House } from './house.ts'

export interface Scene {
  readonly house: House
  readonly round: number
  /** Secret of a token that is made for this round, and deleted after it. */
  readonly token: string
  /** Counts what has happened. */
  tally(what: string): void
}

/** Anything longer is a fault of the soak, or of the gateway. */
export const PATIENCE_MS = 60_000

/** Settles as `listen` says; rejects where that takes too long. */
export async function happens<T>(
  what: string,
  listen: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const timer = setTimeout(() => reject(new Error(`${what} did not happen`)), PATIENCE_MS)
  listen(resolve, reject)
  return await promise.finally(() => clearTimeout(timer))
}
