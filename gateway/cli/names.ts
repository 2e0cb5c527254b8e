/** Names as typed on the command line; the grammar is the protocol's. */
import { codeInfo, Refusal } from '../protocol/codes.ts'
import { checkSlug, parseName } from '../protocol/name.ts'
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
  const [account, room, ...more] = typed.replace(/^room:/, '').split('/')
  if (!account || !room || more.length > 0) throw usage(`${typed} is not of the form ACCOUNT/ROOM`)
  return { account: nameOf(account, 'account'), room: nameOf(room, 'room') }
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
