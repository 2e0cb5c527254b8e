import { createHash } from 'node:crypto'
import { sshStrings } from '../login-message.ts'

/** What it is signed for: of no use to git, to a file or to another program. */
const NAMESPACE = 'porthouse'
const MAGIC = 'SSHSIG'
const VERSION = Uint8Array.of(0, 0, 0, 1)
const HASH = 'sha512'

/** Signs bytes: the signature as SSH writes it, its algorithm's name and its bytes. */
export type RawSign = (bytes: Uint8Array) => Promise<Uint8Array>

/**
 * An SSHSIG as `ssh-keygen -Y sign -n porthouse` makes it (PROTOCOL.sshsig of OpenSSH), by the key
 * whose public half is given as SSH writes it.
 */
export async function sshsig(
  publicKey: Uint8Array,
  message: Uint8Array,
  sign: RawSign,
): Promise<Uint8Array> {
  const digest = createHash(HASH).update(message).digest()
  const signed = Buffer.concat([Buffer.from(MAGIC), sshStrings(NAMESPACE, '', HASH, digest)])
  const signature = await sign(signed)
  const rest = sshStrings(publicKey, NAMESPACE, '', HASH, signature)
  return Buffer.concat([Buffer.from(MAGIC), VERSION, rest])
}
