import type { Answerer } from '../answerer.ts'

/** A token's secret. */
export function token(secret: string): Answerer {
  return { acceptor: 'token', nominates: true, ahead: () => secret, answer: () => secret }
}
