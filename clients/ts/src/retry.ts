import { Backoff } from './backoff.ts'
import type { Clock } from './clock.ts'
import { PorthouseError } from './error.ts'

const RETRY_MS = 30_000
const WAITS = { baseMs: 100, capMs: 5_000 }

interface RetryOptions {
  readonly clock: Clock
  readonly forMs: number
  readonly signal: AbortSignal | undefined
  /** Aborted where the client is closed. */
  readonly closed: AbortSignal
  /** Whether what was refused like this may be asked again now. */
  again(error: PorthouseError): boolean
}

/** Milliseconds for which a send is tried again. */
export function retryMs(retry: boolean | number | undefined, level: string | undefined): number {
  if (typeof retry === 'number') return retry
  return (retry ?? level === 'stored') ? RETRY_MS : 0
}

/** Asks again what was refused for now, with backoff, until the time is up. */
export async function retrying<T>(ask: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, forMs, signal, closed, again } = options
  const until = clock.now() + forMs
  const backoff = new Backoff(WAITS)
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof PorthouseError && error.receipt && error.temporary)) throw error
      const waitMs = backoff.next()
      if (clock.now() + waitMs > until) throw error
      await passed(waitMs, clock, [closed, ...(signal ? [signal] : [])])
      // The client is closed: nothing more is known than what was said.
      if (closed.aborted) throw error
      signal?.throwIfAborted()
      if (!again(error)) throw error
    }
  }
}

/** Resolves after the time, or when one of the signals is aborted. */
async function passed(ms: number, clock: Clock, signals: readonly AbortSignal[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const cancel = clock.after(ms, resolve)
  const signal = AbortSignal.any([...signals])
  signal.addEventListener('abort', () => resolve())
  if (signal.aborted) resolve()
  await promise
  cancel()
}
