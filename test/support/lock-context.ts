/** What an acceptor is asked with, as the session would ask it. */
import type { Acceptor, Handshake, LockContext, Place } from '../../gateway/locks/acceptor.ts'
import type { Proof } from '../../gateway/locks/proof.ts'

export const PLACE: Place = { address: 'room:acme/boiler', account: 'acme', room: 'boiler' }

export interface Situation {
  readonly place?: Place | undefined
  readonly handshake?: Partial<Handshake>
  readonly proofs?: readonly Proof[]
  readonly now?: number
  readonly signal?: AbortSignal
}

/** For an acceptor with options as an admin writes them. */
export function contextOf<Options>(
  acceptor: Acceptor<Options>,
  options: unknown,
  situation: Situation = {},
): LockContext<Options> {
  const { handshake, proofs = [], now = Date.now(), signal } = situation
  return {
    options: acceptor.readOptions(options),
    place: 'place' in situation ? situation.place : PLACE,
    lock: 'aaaaaaaaaaaaaaaa',
    proofs,
    values: {},
    socket: {
      address: 'socket:bbbbbbbbbbbbbbbb',
      handshake: { remote: '192.0.2.1', headers: {}, ...handshake },
    },
    now,
    signal: signal ?? new AbortController().signal,
  }
}
