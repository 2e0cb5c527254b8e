/** Lines of .pub files: those that OpenSSH writes are read, all else is refused and said why. */
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { readPublicKey, readPublicKeyLine } from '../../gateway/identity/ssh-public-key.ts'
import { SshError, sshString } from '../../gateway/identity/ssh-wire.ts'
import { SshKeygen } from '../support/ssh-keygen.ts'

const ssh = new SshKeygen()
afterAll(() => ssh[Symbol.dispose]())
const { line, file } = ssh.make('ed25519')

describe('taken', () => {
  test.each([
    ['ssh-ed25519', ['ed25519']],
    ['ecdsa-sha2-nistp256', ['ecdsa', '-b', '256']],
    ['ecdsa-sha2-nistp384', ['ecdsa', '-b', '384']],
    ['ecdsa-sha2-nistp521', ['ecdsa', '-b', '521']],
    ['ssh-rsa', ['rsa', '-b', '2048']],
    ['ssh-rsa', ['rsa', '-b', '3072']],
  ])('%s, by %j', (type, [kind = '', ...options]) => {
    const pair = ssh.make(kind, ...options)
    const { data, label } = readPublicKeyLine(pair.line)
    const listed = execFileSync('ssh-keygen', ['-l', '-f', `${pair.file}.pub`], {
      encoding: 'utf8',
    })
    expect(listed).toContain(`${data.fingerprint} `)
    expect({ type: data.type, label }).toEqual({ type, label: 'anna@desk' })
    expect(readPublicKey(Buffer.from(data.key, 'base64')).type).toBe(type)
  })

  test('with CRLF, without an end of line, without a comment, with a comment of many words', () => {
    const [type, key] = line.split(' ') as [string, string]
    const { data } = readPublicKeyLine(line)
    for (const tail of ['\r\n', '', ' ', ' \n', ' anna at her desk\n']) {
      expect(readPublicKeyLine(`${type} ${key}${tail}`).data).toEqual(data)
    }
    expect(readPublicKeyLine(`${type} ${key} anna at her desk`).label).toBe('anna at her desk')
  })
})

describe('refused', () => {
  const [type, key] = line.split(' ') as [string, string]
  const blob = Buffer.from(key, 'base64')

  test.each([
    ['nothing', '', 'starts with the type'],
    ['options before the key', `no-pty ${line}`, 'without options'],
    ['an option with a command', `command="ls",no-pty ${line}`, 'without options'],
    ['a line of authorized_keys for a CA', `cert-authority ${line}`, 'without options'],
    ['two lines', `${line}${line}`, 'more than one line'],
    ['a NUL', `${type} ${key} \0`, 'control characters'],
    ['an escape', `${type} ${key} \u001b[2J`, 'control characters'],
    ['no key', type, 'not base64'],
    ['what is not base64', `${type} ${key}*`, 'not base64'],
    ['base64 with bits to spare', `${type} AB==`, 'not base64'],
    ['bytes after the key', `${type} ${lineOf(blob, Buffer.alloc(3))}`, 'follows its end'],
    ['a key cut short', `${type} ${lineOf(blob.subarray(0, 48))}`, 'cut short'],
    ['another type than the key', `ssh-rsa ${key}`, 'not of ssh-rsa'],
    ['a security key', 'sk-ssh-ed25519@openssh.com AAAA', 'security tokens'],
    ['a DSA key', 'ssh-dss AAAA', 'too weak'],
    ['8 KiB of it', `${type} ${key} ${'a'.repeat(8192)}`, 'over 8,192'],
    ['a name of every object', 'constructor AAAA', 'starts with the type'],
  ])('%s', (_, text, why) => {
    expect(() => readPublicKeyLine(text)).toThrow(SshError)
    expect(() => readPublicKeyLine(text)).toThrow(why)
  })

  test('a private key, and its words are not repeated', () => {
    const text = readFileSync(file, 'utf8')
    expect(() => readPublicKeyLine(text)).toThrow('a private key; the .pub file is needed')
  })

  test('a certificate', () => {
    const pair = ssh.make('ed25519')
    ssh.run('-q', '-s', file, '-I', 'anna', '-n', 'anna', `${pair.file}.pub`)
    const certificate = readFileSync(`${pair.file}-cert.pub`, 'utf8')
    expect(() => readPublicKeyLine(certificate)).toThrow('certificates are not taken')
  })

  test('RSA of 1,024 bits', () => {
    const pair = ssh.make('rsa', '-b', '1024')
    expect(() => readPublicKeyLine(pair.line)).toThrow('RSA of 1024 bits; at least 2,048')
  })

  test.each([
    ['of 2,047 bits', rsa(3n, (1n << 2047n) - 1n), 'RSA of 2047 bits'],
    ['of 8,193 bits', rsa(3n, (1n << 8193n) - 1n), 'RSA of 8193 bits'],
    ['with exponent 1', rsa(1n, (1n << 2048n) - 1n), 'exponent'],
    ['with an even exponent', rsa(65536n, (1n << 2048n) - 1n), 'exponent'],
    ['with an exponent of 40 bits', rsa((1n << 40n) - 1n, (1n << 2048n) - 1n), 'exponent'],
    ['with an even modulus', rsa(3n, (1n << 2048n) - 2n), 'even modulus'],
  ])('RSA %s', (_, wrong, why) => expect(() => readPublicKey(wrong)).toThrow(why))

  test('an RSA key with numbers that are negative, padded or missing', () => {
    for (const exponent of [Buffer.of(0x81), Buffer.of(0, 3), Buffer.alloc(0), Buffer.of(0)]) {
      const wrong = Buffer.concat(['ssh-rsa', exponent, bytesOf((1n << 2048n) - 1n)].map(sshString))
      expect(() => readPublicKey(wrong)).toThrow('not positive')
    }
  })

  test('points that are not on the curve, compressed, or of another curve', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x, y } = publicKey.export({ format: 'jwk' }) as { x: string; y: string }
    const [bx, by] = [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]
    const off = Buffer.from(by)
    off[0]! ^= 1
    const wrong = [
      ['nistp256', Buffer.concat([Buffer.of(4), bx, off])],
      ['nistp256', Buffer.concat([Buffer.of(2), bx])],
      ['nistp256', Buffer.alloc(65)],
      ['nistp256', Buffer.concat([Buffer.of(4), Buffer.alloc(64)])],
      ['nistp384', Buffer.concat([Buffer.of(4), bx, by])],
    ] as const
    for (const [curve, point] of wrong) {
      const blob = Buffer.concat(['ecdsa-sha2-nistp256', curve, point].map(sshString))
      expect(() => readPublicKey(blob)).toThrow(SshError)
    }
  })

  test('anything else, and never by another error', () => {
    const mutated = fc
      .tuple(fc.nat(blob.length - 1), fc.nat(255))
      .map(([at, byte]) => Buffer.from(blob.with(at, byte)))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
        try {
          const read = readPublicKey(bytes)
          expect(read.blob.equals(bytes)).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(SshError)
        }
      }),
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(() => readPublicKeyLine(text)).toThrow(SshError)
      }),
    )
  })
})

function lineOf(...parts: Buffer[]): string {
  return Buffer.concat(parts).toString('base64')
}

function rsa(exponent: bigint, modulus: bigint): Buffer {
  return Buffer.concat(['ssh-rsa', bytesOf(exponent), bytesOf(modulus)].map(sshString))
}

/** An mpint's bytes. */
function bytesOf(number: bigint): Buffer {
  const hex = number.toString(16)
  const bytes = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex')
  return bytes[0]! > 0x7f ? Buffer.concat([Buffer.of(0), bytes]) : bytes
}
