/**
 * SSH signatures: of a message by a key (RFC 4253, RFC 5656, RFC 8332, RFC 8709), and the envelope
 * that `ssh-keygen -Y sign` puts one in (SSHSIG, PROTOCOL.sshsig of OpenSSH).
 */
import { constants, createHash, verify } from 'node:crypto'
import { promisify } from 'node:util'
import { readPublicKey, type SshPublicKey } from './ssh-public-key.ts'
import { SshError, SshReader, sshString } from './ssh-wire.ts'

/** What it is signed for: a signature for git, a file or another program is none for us (K11). */
export const NAMESPACE = 'porthouse'

const MAGIC = 'SSHSIG'
const VERSION = 1
const HASHES: ReadonlySet<string> = new Set(['sha256', 'sha512'])

export interface SshSignature {
  readonly signer: SshPublicKey
  /** Of the message. */
  readonly hash: string
  readonly algorithm: string
  readonly signature: Buffer
}

/**
 * Reads an SSHSIG, as bytes or armoured. Throws an SshError where it is malformed, of another
 * namespace, or of a key that is not taken.
 */
export function readSshSignature(bytes: Uint8Array): SshSignature {
  const reader = new SshReader(unarmoured(Buffer.from(bytes)))
  if (reader.bytes(MAGIC.length).toString('latin1') !== MAGIC || reader.uint32() !== VERSION) {
    throw new SshError('not an SSHSIG of version 1')
  }
  const signer = readPublicKey(reader.string())
  if (reader.name() !== NAMESPACE) throw new SshError(`the namespace is not ${NAMESPACE}`)
  if (reader.string().length > 0) throw new SshError('what is reserved is not empty')
  const hash = reader.name()
  if (!HASHES.has(hash)) throw new SshError('the hash is neither sha256 nor sha512')
  const inner = new SshReader(reader.string())
  reader.end()
  const algorithm = inner.name()
  const signature = inner.string()
  inner.end()
  return { signer, hash, algorithm, signature }
}

/** Whether it is the signer's, of this message. Does its work in the thread pool. */
export async function isSignatureOf(
  { signer, hash, algorithm, signature }: SshSignature,
  message: Uint8Array,
): Promise<boolean> {
  const digest = createHash(hash).update(message).digest()
  const strings = [NAMESPACE, '', hash, digest].map(sshString)
  return verifySsh(signer, algorithm, Buffer.concat([Buffer.from(MAGIC), ...strings]), signature)
}

type Scheme = readonly [type: string, hash: 'sha256' | 'sha384' | 'sha512' | null]

/** By the name in the signature. SHA-1, which is `ssh-rsa` here, is not among them. */
const SCHEMES: Readonly<Record<string, Scheme>> = {
  'ssh-ed25519': ['ssh-ed25519', null],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256', 'sha256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384', 'sha384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521', 'sha512'],
  'rsa-sha2-256': ['ssh-rsa', 'sha256'],
  'rsa-sha2-512': ['ssh-rsa', 'sha512'],
}

const verifyAside = promisify(verify)

/** Whether a key made a signature of just these bytes; false for any that is malformed. */
export async function verifySsh(
  { type, key, size }: SshPublicKey,
  algorithm: string,
  signed: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const scheme = Object.hasOwn(SCHEMES, algorithm) ? SCHEMES[algorithm] : undefined
  if (scheme?.[0] !== type) return false
  const [, hash] = scheme
  if (!type.startsWith('ecdsa-')) {
    const padding = type === 'ssh-rsa' ? { padding: constants.RSA_PKCS1_PADDING } : {}
    return verifyAside(hash, signed, { key, ...padding }, signature)
  }
  const numbers = pointOf(signature, size)
  if (!numbers) return false
  return verifyAside(hash, signed, { key, dsaEncoding: 'ieee-p1363' }, numbers)
}

/** r and s of an ECDSA signature (RFC 5656 section 3.1.2), each filled up to `size` bytes. */
function pointOf(signature: Uint8Array, size: number): Buffer | undefined {
  try {
    const reader = new SshReader(signature)
    const numbers = [reader.positive(), reader.positive()]
    reader.end()
    if (numbers.some((number) => number.length > size)) return undefined
    return Buffer.concat(numbers.flatMap((number) => [Buffer.alloc(size - number.length), number]))
  } catch (error) {
    if (error instanceof SshError) return undefined
    throw error
  }
}

const ARMOUR_START = '-----BEGIN SSH SIGNATURE-----'
const ARMOUR_END = '-----END SSH SIGNATURE-----'

function unarmoured(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1').trim()
  if (!text.startsWith(ARMOUR_START)) return bytes
  if (!text.endsWith(ARMOUR_END)) throw new SshError('its armour does not end')
  const body = text.slice(ARMOUR_START.length, -ARMOUR_END.length).replace(/\r?\n/g, '')
  const decoded = Buffer.from(body, 'base64')
  if (decoded.toString('base64') !== body) throw new SshError('its armour does not hold base64')
  return decoded
}
