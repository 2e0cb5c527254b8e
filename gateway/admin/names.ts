/** Names of resources, such as `accounts/acme/rooms/field` (AIP-122). */
import { Code } from '@porthouse/proto/v1/code'
import { isNamed, type Named } from '../locks/proof.ts'
import { Refusal } from '../protocol/codes.ts'
import { isUuid, parseName } from '../protocol/name.ts'
import { invalid } from '../protocol/violations.ts'

/** Forms of names, by which several services find what they are about. */
export const ROOM = 'accounts/*/rooms/*'
export const CLIENT = 'accounts/*/clients/*'
export const TOKEN = 'accounts/*/tokens/*'

/** What the last part of a name is, where it is no slug. */
const UUIDS: ReadonlySet<string> = new Set(['apiKeys', 'connectionKeys', 'credentials', 'tokens'])
/** Ids that the gateway gives to what is live, and to messages. */
const IDS: ReadonlySet<string> = new Set(['sockets', 'messages', 'locks'])

/** Stands for the account of a token, whose id no other has (AIP-159). */
export const ALL = '-'

const ID = /^[0-9A-Za-z-]{1,64}$/

/**
 * What stands for each `*` of a form, such as [`acme`, `field`] of the form of a room: slugs as
 * they are, UUIDs in lower case; undefined where the name has another form. Throws Refusal where a
 * part of it cannot be a name.
 */
export function match(form: string, name: string): string[] | undefined {
  const parts = name.split('/')
  const wanted = form.split('/')
  if (parts.length !== wanted.length) return undefined
  if (wanted.some((each, i) => each !== '*' && each !== parts[i])) return undefined
  return wanted.flatMap((each, i) => {
    if (each !== '*') return []
    const collection = parts[i - 1] ?? ''
    const isAny = collection === 'accounts' && parts[i] === ALL && parts[i + 1] === 'tokens'
    return [isAny ? ALL : part(collection, parts[i]!)]
  })
}

/** The same for a name that has to have the form. Throws Violations for the field `field`. */
export function segments(form: string, name: string, field = 'name'): string[] {
  const found = match(form, name)
  if (!found) throw invalid(field, `is not of the form ${form}`)
  return found
}

/**
 * The slug or UUID of something that has to be in an account that is known, such as `pump` of the
 * name of a client. Throws Violations for the field `field`.
 */
export function within(account: Named, form: string, name: string, field: string): string {
  const [owner, last] = segments(form, name, field)
  if (!isNamed(account, owner)) throw invalid(field, 'is not in the same account')
  return last!
}

/**
 * There is nothing of that name, or it is in another account: nobody can tell which (threat A15).
 */
export function unknownResource(name: string): Refusal {
  return new Refusal(Code.RESOURCE_UNKNOWN, `there is no ${name}`)
}

function part(collection: string, text: string): string {
  const kind = collection.replace(/ies$/, 'y').replace(/s$/, '')
  if (UUIDS.has(collection)) {
    if (!isUuid(text)) throw new Refusal(Code.ADDRESS_INVALID, `the ${kind} is not a UUID`)
    return text.toLowerCase()
  }
  if (IDS.has(collection)) {
    if (!ID.test(text)) throw new Refusal(Code.ADDRESS_INVALID, `the ${kind} is not an id`)
    return text
  }
  return parseName(text, kind)
}
