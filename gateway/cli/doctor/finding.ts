/** What one look of the doctor has found. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string
  /** `bad`: the gateway cannot run so, or not safely. */
  readonly state: 'good' | 'doubtful' | 'bad'
  readonly detail: string
  /** What to do about it. */
  readonly next?: string
}

export function good(check: string, detail: string): Finding {
  return { check, state: 'good', detail }
}

export function doubtful(check: string, detail: string, next: string): Finding {
  return { check, state: 'doubtful', detail, next }
}

export function bad(check: string, detail: string, next: string): Finding {
  return { check, state: 'bad', detail, next }
}

/** Text of what was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
