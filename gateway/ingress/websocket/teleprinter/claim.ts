/** Who somebody says he is when he answers: what an offence is remembered by, right or wrong. */
import type { Answer } from './question.ts'

const TOKEN = /^pht_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})_/
const CLIENT = /^(?:client:)?(?:([a-z0-9][a-z0-9-]{0,62})\/)?([a-z0-9][a-z0-9-]{0,62})$/

/** `token:…` or `client:…`; undefined where the answer names nobody. Never a secret. */
export function claimOf({ acceptor, response }: Answer, place: string): string | undefined {
  if (acceptor === 'token' && response?.case === 'text') {
    const match = TOKEN.exec(response.value as string)
    return match ? `token:${match.slice(1).join('-')}` : undefined
  }
  if (acceptor !== 'password' || response?.case !== 'responses') return undefined
  const [name = '', ...more] = (response.value as { values: readonly string[] }).values
  const [, account = place.replace(/^\w+:/, '').split('/')[0], client] = CLIENT.exec(name) ?? []
  return more.length > 0 && account && client ? `client:${account}/${client}` : undefined
}
