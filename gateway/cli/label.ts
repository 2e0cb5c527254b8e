/** What people call a key by. */
import { usage } from './failure.ts'

const LABEL_CHARS_MAX = 128

/** Throws a Failure of usage. */
export function checkLabel(label: string): string {
  if (label.length > LABEL_CHARS_MAX) {
    throw usage(`--label is over ${LABEL_CHARS_MAX} characters`)
  }
  if (/\p{Cc}/u.test(label) || !label.isWellFormed()) {
    throw usage('--label holds control characters')
  }
  return label
}
