/** On what terms a token is good, as they are given and as they are shown (R33). */
import { type Token, TokenMethod, type TokenRate } from '@porthouse/proto/admin/v1/token_service'
import type { Method, TokenTerms } from '../../store/store.ts'
import { expiryOf } from '../fields.ts'

const METHODS: ReadonlyMap<TokenMethod, Method> = new Map([
  [TokenMethod.TEXT, 'text'],
  [TokenMethod.BINARY, 'binary'],
  [TokenMethod.JSON, 'json'],
  [TokenMethod.PROTOBUF, 'protobuf'],
])

/** Null: free. */
export type GivenTerms = { readonly [Term in keyof TokenTerms]?: TokenTerms[Term] | null }

/** Those that a mask names. */
export const TERMS = ['expire_time', 'method', 'rate', 'max_connections'] as const

/** The terms of those fields. Throws Violations. */
export function termsOf(token: Token, fields: ReadonlySet<string>, now: number): GivenTerms {
  return {
    ...(fields.has('expire_time') && {
      expiresAt: expiryOf(token.expireTime, now, 'token.expireTime') ?? null,
    }),
    ...(fields.has('method') && { method: METHODS.get(token.method) ?? null }),
    ...(fields.has('rate') && { rate: token.rate ? rateOf(token.rate) : null }),
    ...(fields.has('max_connections') && { maxConnections: token.maxConnections || null }),
  }
}

/** The same, where what is null is left out. */
export function bound<T extends GivenTerms>(terms: T): Omit<T, keyof TokenTerms> & TokenTerms {
  const binding = Object.entries(terms).filter(([, term]) => term !== null)
  return Object.fromEntries(binding) as Omit<T, keyof TokenTerms> & TokenTerms
}

function rateOf({ perSecond, burst }: TokenRate): NonNullable<TokenTerms['rate']> {
  return { perSecond, burst: burst || Math.max(1, Math.ceil(perSecond)) }
}

/** All but the expiry, which other resources have as well. */
export function shownTerms({ method, rate, maxConnections = 0 }: TokenTerms) {
  const [known] = [...METHODS].find(([, name]) => name === method) ?? [TokenMethod.UNSPECIFIED]
  return { method: known, maxConnections, ...(rate && { rate }) }
}
