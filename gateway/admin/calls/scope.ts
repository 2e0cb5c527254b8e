/**
 * What a request names has to be in the caller's account. Of another's, it is answered as if it
 * were not there, before anybody looks (threats A15, C1).
 */
import type { DescMessage, Message } from '@bufbuild/protobuf'
import { invalid } from '../../protocol/violations.ts'
import { mayKnow, type Principal } from '../credentials/principal.ts'
import { match, unknownResource } from '../names.ts'
import { rulesOf } from './rules.ts'

/** Stands for all accounts, or for the gateway itself. */
const ALL = '-'

/** Throws Refusal RESOURCE_UNKNOWN, and Violations where a name has not the form it has to have. */
export function checkScope(schema: DescMessage, message: Message, principal: Principal): void {
  for (const { path, forms, name } of namesIn(schema, message, '')) {
    const form = forms.find((each) => match(each, name))
    if (form === undefined) throw invalid(path, `is not of the form ${forms.join(' or ')}`)
    if (!isWithin(form, name, principal)) throw unknownResource(name)
  }
}

/** Names of the request, as far as they are given. The first is what a change is about. */
export function* namesIn(
  schema: DescMessage,
  message: Message,
  prefix: string,
): Generator<{ path: string; forms: string[]; name: string }> {
  for (const field of schema.fields) {
    const value = (message as unknown as Record<string, unknown>)[field.localName]
    const path = `${prefix}${field.jsonName}`
    if (field.fieldKind === 'scalar' && typeof value === 'string' && value !== '') {
      const { resource } = rulesOf(field)
      if (resource !== '') yield { path, forms: resource.split(' '), name: value }
    } else if (field.fieldKind === 'message' && value && prefix === '') {
      yield* namesIn(field.message, value as Message, `${path}.`)
    }
  }
}

function isWithin(form: string, name: string, principal: Principal): boolean {
  if (principal.account === undefined) return true
  if (name === ALL) return false
  const [account] = match(form, name) ?? []
  // What is in no account by its name, such as a socket, is looked at by its service.
  return !form.startsWith('accounts/') || mayKnow(principal, account ?? '')
}
