/** The acceptors that porthouse comes with, a file each (R18). */

import type { Log } from '../../observe/log.ts'
import type { Store } from '../../store/store.ts'
import type { Acceptor } from '../acceptor.ts'
import { tokenAcceptor } from './token.ts'

/** What the built-in acceptors work with. */
export interface AcceptorParts {
  readonly store: Store
  /**
   * What the gateway is reached by, as origins such as `https://hub.example`: signatures for any
   * other are void. Asked at each use, for a port may be known only once it listens.
   */
  readonly urls: () => readonly string[]
  /** That many bytes nobody can guess. */
  readonly random: (bytes: number) => Uint8Array
  readonly log: Log
}

export function builtInAcceptors(parts: AcceptorParts): Acceptor[] {
  return [tokenAcceptor(parts)]
}
