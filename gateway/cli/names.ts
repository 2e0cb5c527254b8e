/** Names as typed on the command line; the grammar is the protocol's. */
import { codeInfo, Refusal } from '../protocol/codes.ts'
import { checkSlug, isUuid, parseName } from '../protocol/name.ts'
import { EXIT, Failure, usage } from './failure.ts'

/** A name for something new. Throws a Failure of usage. */
export function newSlug(name: string, what: string): string {
  return refused(name, () => {
    checkSlug(name, what)
    return name
  })
}

/** A slug or a UUID. Throws a Failure of usage. */
export function nameOf(name: string, what: string): string {
  return refused(name, () => parseName(name, what))
}

/** ACCOUNT/ROOM. */
export function roomName(typed: string): { account: string; room: string } {
  const [account, room] = inAccount(typed, 'room')
  return { account, room }
}

/** ACCOUNT/CLIENT. */
export function clientName(typed: string): { account: string; client: string } {
  const [account, client] = inAccount(typed, 'client')
  return { account, client }
}

function inAccount(typed: string, kind: 'room' | 'client'): [account: string, name: string] {
  const bare = typed.startsWith(`${kind}:`) ? typed.slice(kind.length + 1) : typed
  const [account, name, ...more] = bare.split('/')
  if (!account || !name || more.length > 0) {
    throw usage(`${typed} is not of the form ACCOUNT/${kind.toUpperCase()}`)
  }
  return [nameOf(account, 'account'), nameOf(name, kind)]
}

/**
 * The id of a key or token. It is not quoted where it is wrong, since it may be a secret, put here
 * by mistake.
 */
export function idOf(typed: string, what: string, hint: string): string {
  if (!isUuid(typed)) throw usage(`the ${what} is not given by its id, a UUID; ${hint}`)
  return typed.toLowerCase()
}

/** Turns a Refusal of the grammar into a Failure of usage that quotes what was typed. */
export function refused<T>(typed: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { name } = codeInfo(error.code)
    throw new Failure(name, `${name}: ${typed}: ${error.detail}`, EXIT.usage, error)
  }
}
