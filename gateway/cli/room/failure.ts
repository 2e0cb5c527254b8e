/** How commands on rooms fail. */
import { EXIT, Failure } from '../failure.ts'

const LOCK_OPTIONS =
  'options of a lock stand in a file: --config FILE; docs/acceptors shows one of each'

/** Tells what is wrong with a config as that of a file; `byOptions`: it was none. */
export async function configTold<T>(done: Promise<T>, byOptions = false): Promise<T> {
  try {
    return await done
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'ARGUMENT_INVALID')) throw error
    const faults = error.message.replace(/^(room\.config|revision)\./gm, '')
    const isOfOptions = byOptions && faults.includes(': options.')
    const message = isOfOptions ? `${faults}\n${LOCK_OPTIONS}` : faults
    throw new Failure('CONFIG', message, EXIT.usage, error)
  }
}

/** Tells a config that cannot be read as such. */
export async function readableTold<T>(done: Promise<T>, what: string, room: string): Promise<T> {
  try {
    return await done
  } catch (error) {
    const isLater = error instanceof Failure && error.code === 'STATE_UNSUITABLE'
    throw isLater ? unreadable(what, room, error) : error
  }
}

export function unreadable(what: string, room: string, cause?: unknown): Failure {
  const next = `porthouse room revisions ${room} lists those that can be gone back to`
  const text = `${what} is of a later version of porthouse; ${next}`
  return new Failure('UNREADABLE', text, EXIT.failed, cause)
}
