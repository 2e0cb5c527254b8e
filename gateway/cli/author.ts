/** Who changes what is kept, as its revisions tell (R19). */
import { userInfo } from 'node:os'

/** The user of the system, and the command that he gave. */
export function authorOf(command: string): string {
  return `${user()}, by porthouse ${command}`
}

function user(): string {
  try {
    return userInfo().username
  } catch {
    // A container may run as a number that has no name.
    return `user ${process.getuid?.()}`
  }
}
