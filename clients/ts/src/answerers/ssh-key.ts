import { clientAddress } from '../address.ts'
import type { Answerer } from '../answerer.ts'
import { PorthouseError } from '../error.ts'
import { loginMessage } from '../login-message.ts'

export interface SshKeyOptions {
  /** Who logs in: `ACCOUNT/CLIENT`, with or without its `client:`. */
  readonly client: string
  /**
   * Signs a message: an SSHSIG of namespace `porthouse`, armoured or not, or the 64 bytes of a
   * plain Ed25519 signature. Undefined: it has no (more) key to sign with.
   */
  sign(
    message: Uint8Array,
    context: { readonly attempt: number; readonly signal: AbortSignal },
  ): Promise<Uint8Array | undefined>
  /** Keys that it may try, one an attempt. Default 1. */
  readonly tries?: number | undefined
}

const NONCE_BYTES = 32
/** Far more than one client sees while it lives. */
const NONCES_KEPT = 1024

/**
 * Proves a client by one of its SSH keys. What is signed names the gateway that was dialled, this
 * socket, the nonce and the place, so that it is of no use anywhere else. Rejects with
 * UNAUTHENTICATED where a gateway asks to sign for another socket, or another lock's nonce.
 */
export function sshKey({ client, sign, tries }: SshKeyOptions): Answerer {
  const address = clientAddress(client)
  /** Nonces, and the locks that they were for. */
  const seen = new Map<string, string>()
  return {
    acceptor: 'ssh-key',
    nominates: true,
    tries,
    async answer({ ask, place, lock }, { gateway, socket, attempt, signal }) {
      if (ask.kind !== 'nonce') return undefined
      const { nonce } = ask
      if (ask.socket !== socket) throw suspicious('to sign for another socket')
      if (nonce.length !== NONCE_BYTES) throw suspicious('to sign no proper nonce')
      const name = nonce.join()
      // The same lock asks once more where another one came between.
      if ((seen.get(name) ?? lock) !== lock) throw suspicious('to sign the nonce of another lock')
      if (seen.size === NONCES_KEPT) seen.clear()
      seen.set(name, lock)
      const message = loginMessage({ gateway, socket, nonce, client: address, place })
      const signature = await sign(message, { attempt, signal })
      return signature && { client: address, gateway, signature }
    },
  }
}

function suspicious(asked: string): PorthouseError {
  return new PorthouseError('UNAUTHENTICATED', { detail: `The gateway asks ${asked}` })
}
