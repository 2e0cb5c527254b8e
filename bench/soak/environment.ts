/** What a gateway is told in a soak, so that of a round that is over nothing is left to be seen. */
import { inspectable } from '../heap/inspector.ts'
import { PATIENCE_MS } from './scene.ts'

/**
 * What is kept for a time is kept so long: else a sample would say how many rounds went into that
 * time. Paths of `why` go with the next message that is old enough.
 */
const WINDOWS = [
  'RESUME_WINDOW_MS',
  'IDEMPOTENCY_WINDOW_MS',
  'ADMIN_REQUESTS_WINDOW_MS',
  'MESSAGES_IDLE_MS',
]
const WHY_AGE_MS = 50

/** By default glibc keeps the memory of the greatest moment so far, in each thread's arena. */
const GIVES_BACK = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '131072',
}

/** `given`: what Node is told besides stays. */
export function environment(
  windowMs: number,
  { NODE_OPTIONS = '', ...given }: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    ...GIVES_BACK,
    ...Object.fromEntries(WINDOWS.map((name) => [`PORTHOUSE_${name}`, String(windowMs)])),
    PORTHOUSE_WHY_AGE_MS: String(WHY_AGE_MS),
    // A store that is slow, as on a busy machine, is no fault here.
    PORTHOUSE_HISTORY_WAIT_MS: String(PATIENCE_MS),
    ...given,
    NODE_OPTIONS: `${inspectable.NODE_OPTIONS} ${NODE_OPTIONS}`.trim(),
  }
}
