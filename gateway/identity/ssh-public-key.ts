/**
 * SSH public keys: one line of a `.pub` file, and the bytes it holds (RFC 4253 section 6.6, RFC
 * 5656, RFC 8709). Taken: Ed25519, ECDSA on the NIST curves, RSA of 2,048 to 8,192 bits. Refused:
 * DSA, security keys (`sk-…`), certificates, lines with options, weak or odd RSA (threat K11).
 */
import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { SshError, SshReader } from './ssh-wire.ts'

export interface SshPublicKey {
  /** As in the `.pub` line, e.g. `ssh-ed25519`. */
  readonly type: string
  /** All of it as SSH writes it. One key has one such form. */
  readonly blob: Buffer
  readonly key: KeyObject
  /** Bytes of one coordinate (ECDSA) or of the modulus (RSA); 32 for Ed25519. */
  readonly size: number
}

/** What is kept of a client's key; `label` is the comment of its line. */
export interface SshCredential {
  readonly data: { readonly type: string; readonly key: string; readonly fingerprint: string }
  readonly label: string
}

const LINE_BYTES_MAX = 8192
const ED25519_BYTES = 32
const RSA_BYTES_MIN = 2048 / 8
/** Signature and key of a longer one do not fit in an answer (4,096 bytes). */
const RSA_BYTES_MAX = 8192 / 8
/** A bound on the work that a stranger's key can make. */
const RSA_EXPONENT_BYTES_MAX = 4

/** JWK name and bytes of a coordinate, by SSH's name. */
const CURVES: Readonly<Record<string, readonly [crv: string, size: number]>> = {
  nistp256: ['P-256', 32],
  nistp384: ['P-384', 48],
  nistp521: ['P-521', 66],
}

/**
 * Reads a `.pub` file of one key, for instance `ssh-ed25519 AAAAC3… anna@desk`. Throws an SshError
 * that says what is wrong with it.
 */
export function readPublicKeyLine(text: string): SshCredential {
  if (text.length > LINE_BYTES_MAX) throw new SshError('over 8,192 bytes are no public key')
  if (text.includes('PRIVATE KEY')) throw new SshError('a private key; the .pub file is needed')
  const line = text.replace(/\r?\n$/, '')
  if (/\p{Cc}/u.test(line.replaceAll('\t', ' '))) {
    throw new SshError(
      'more than one line, or control characters: one line of a .pub file is needed',
    )
  }
  const [type = '', encoded = '', ...comment] = line.trim().split(/[ \t]+/)
  checkType(type)
  const blob = Buffer.from(encoded, 'base64')
  if (encoded === '' || blob.toString('base64') !== encoded) {
    throw new SshError('what follows the type is not base64')
  }
  if (readPublicKey(blob).type !== type) throw new SshError(`the key itself is not of ${type}`)
  const fingerprint = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')
  return {
    data: { type, key: encoded, fingerprint: `SHA256:${fingerprint}` },
    label: comment.join(' '),
  }
}

/** Reads a key as SSH writes it. Throws an SshError where it is malformed or not taken. */
export function readPublicKey(blob: Uint8Array): SshPublicKey {
  const reader = new SshReader(blob)
  const type = reader.name()
  checkType(type)
  const [jwk, size] = readers[type]!(reader)
  reader.end()
  return { type, blob: Buffer.from(blob), key: keyObject(jwk), size }
}

type JwkReader = (reader: SshReader) => readonly [jwk: JsonWebKey, size: number]

const readers: Readonly<Record<string, JwkReader>> = {
  'ssh-ed25519': readEd25519,
  'ecdsa-sha2-nistp256': readEcdsa('nistp256'),
  'ecdsa-sha2-nistp384': readEcdsa('nistp384'),
  'ecdsa-sha2-nistp521': readEcdsa('nistp521'),
  'ssh-rsa': readRsa,
}

function checkType(type: string): void {
  if (Object.hasOwn(readers, type)) return
  if (type.includes('-cert-v')) throw new SshError('certificates are not taken; give the bare key')
  if (type.startsWith('sk-')) throw new SshError('keys of security tokens (sk-) are not taken')
  if (type === 'ssh-dss') throw new SshError('DSA keys are too weak')
  const taken = Object.keys(readers).join(', ')
  throw new SshError(`a line starts with the type of its key, without options: ${taken}`)
}

function readEd25519(reader: SshReader): readonly [JsonWebKey, number] {
  const point = reader.string()
  if (point.length !== ED25519_BYTES) throw new SshError('an Ed25519 key has 32 bytes')
  return [{ kty: 'OKP', crv: 'Ed25519', x: base64url(point) }, ED25519_BYTES]
}

function readEcdsa(curve: string): JwkReader {
  const [crv, size] = CURVES[curve]!
  return (reader) => {
    if (reader.name() !== curve) throw new SshError('its type and its curve differ')
    const point = reader.string()
    // 4: both coordinates in full (SEC 1 section 2.3.3), the only form that SSH writes.
    if (point.length !== 1 + 2 * size || point[0] !== 4) throw new SshError('not a point in full')
    const [x, y] = [point.subarray(1, 1 + size), point.subarray(1 + size)]
    return [{ kty: 'EC', crv, x: base64url(x), y: base64url(y) }, size]
  }
}

function readRsa(reader: SshReader): readonly [JsonWebKey, number] {
  const exponent = reader.positive()
  const modulus = reader.positive()
  const bits = modulus.length * 8 - Math.clz32(modulus[0]!) + 24
  if (bits < RSA_BYTES_MIN * 8) throw new SshError(`RSA of ${bits} bits; at least 2,048 are needed`)
  if (bits > RSA_BYTES_MAX * 8) throw new SshError(`RSA of ${bits} bits; at most 8,192 are taken`)
  const even = (exponent.at(-1)! & 1) === 0 || (modulus.at(-1)! & 1) === 0
  const one = exponent.length === 1 && exponent[0] === 1
  if (even || one || exponent.length > RSA_EXPONENT_BYTES_MAX) {
    throw new SshError('RSA with an even modulus, or an exponent that is 1, even or over 32 bits')
  }
  return [{ kty: 'RSA', n: base64url(modulus), e: base64url(exponent) }, modulus.length]
}

function keyObject(jwk: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ format: 'jwk', key: jwk })
  } catch {
    throw new SshError('it is not a point of its curve')
  }
}

function base64url(bytes: Buffer): string {
  return bytes.toString('base64url')
}
