/** SSHSIG by hand, with any part of it wrong. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { sshString } from '../../gateway/identity/ssh-wire.ts'

export interface Signer {
  readonly privateKey: KeyObject
  /** As SSH writes the public key. */
  readonly blob: Buffer
  /** The line of a .pub file. */
  readonly line: string
}

export function ed25519(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const { x } = publicKey.export({ format: 'jwk' }) as { x: string }
  return signer(privateKey, 'ssh-ed25519', Buffer.from(x, 'base64url'))
}

export function rsa(modulusLength = 2048): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength })
  const { n, e } = publicKey.export({ format: 'jwk' }) as { n: string; e: string }
  const modulus = Buffer.concat([Buffer.of(0), Buffer.from(n, 'base64url')])
  return signer(privateKey, 'ssh-rsa', Buffer.from(e, 'base64url'), modulus)
}

function signer(privateKey: KeyObject, type: string, ...numbers: Buffer[]): Signer {
  const blob = Buffer.concat([type, ...numbers].map(sshString))
  return { privateKey, blob, line: `${type} ${blob.toString('base64')} anna@desk\n` }
}

export interface Wrong {
  readonly magic?: string
  readonly version?: number
  readonly blob?: Buffer
  readonly namespace?: string
  readonly reserved?: string
  readonly hash?: string
  /** Of the signature. */
  readonly algorithm?: string
  /** What the key hashes with; null: Ed25519. */
  readonly digest?: string | null
  readonly tail?: string
}

export function sshsig({ privateKey, blob }: Signer, message: Uint8Array, wrong: Wrong = {}) {
  const parts = { magic: 'SSHSIG', version: 1, namespace: 'porthouse', reserved: '', tail: '' }
  const { magic, version, namespace, reserved, tail } = { ...parts, ...wrong }
  const { hash = 'sha512', algorithm = 'ssh-ed25519', digest = null } = wrong
  const hashed = createHash(hash).update(message).digest()
  const signed = [namespace, reserved, hash, hashed].map(sshString)
  const signature = sign(digest, Buffer.concat([Buffer.from('SSHSIG'), ...signed]), privateKey)
  const inner = Buffer.concat([algorithm, signature].map(sshString))
  const number = Buffer.alloc(4)
  number.writeUInt32BE(version)
  const strings = [wrong.blob ?? blob, namespace, reserved, hash, inner].map(sshString)
  return Buffer.concat([Buffer.from(magic), number, ...strings, Buffer.from(tail)])
}
