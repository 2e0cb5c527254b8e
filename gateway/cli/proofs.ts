/** What a client is to prove itself by, from the options of `porthouse client …`. */
import { randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import type { JsonObject } from '@bufbuild/protobuf'
import type { NewProof } from '../identity/client-proofs.ts'
import { newPassword, PASSWORD_BYTES_MAX, PASSWORD_SALT_BYTES } from '../identity/passwords.ts'
import { newPreset, PRESET_BYTES_MAX, PRESET_SALT_BYTES } from '../identity/presets.ts'
import { readPublicKeyLine } from '../identity/ssh-public-key.ts'
import { SshError } from '../identity/ssh-wire.ts'
import type { CredentialKind } from '../store/store.ts'
import { usage } from './failure.ts'
import { pipedInput } from './lines.ts'

export interface ProofOptions {
  /** Files. */
  readonly sshKey?: readonly string[]
  readonly passwordStdin?: boolean
  /** CHALLENGE:RESPONSE, or `-` for stdin. */
  readonly preset?: string
}

const COLON = 0x3a

/** Throws a Failure of usage. */
export async function readProofs(options: ProofOptions): Promise<NewProof[]> {
  const { sshKey: files = [], passwordStdin, preset } = options
  if (passwordStdin && preset === '-') {
    throw usage('--password-stdin and --preset - exclude each other: there is one stdin')
  }
  return [
    ...files.map(sshKey),
    ...(passwordStdin ? [await password()] : []),
    ...(preset === undefined ? [] : [await presetOf(preset)]),
  ]
}

/** What is no file of one public key is over that, or told by its content. */
const KEY_FILE_BYTES_MAX = 16 * 1024

function sshKey(file: string): NewProof {
  try {
    if (statSync(file).size > KEY_FILE_BYTES_MAX) throw new SshError('it is too long')
    return { kind: 'ssh-key', ...readPublicKeyLine(readFileSync(file, 'utf8')) }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw usage(`--ssh-key ${file} is not a public key: ${reason}`)
  }
}

async function password(): Promise<NewProof> {
  const typed = await pipedInput(PASSWORD_BYTES_MAX, '--password-stdin')
  const text = typed.toString('utf8')
  if (!Buffer.from(text).equals(typed)) throw usage('--password-stdin: it is not UTF-8')
  return made('password', '--password-stdin', () => {
    return newPassword(text, randomBytes(PASSWORD_SALT_BYTES))
  })
}

async function presetOf(typed: string): Promise<NewProof> {
  const pair =
    typed === '-' ? await pipedInput(2 * PRESET_BYTES_MAX + 1, '--preset -') : Buffer.from(typed)
  const colon = pair.indexOf(COLON)
  // What was typed is not quoted, for it may be the response.
  if (colon === -1) throw usage('--preset is not of the form CHALLENGE:RESPONSE')
  const [challenge, response] = [pair.subarray(0, colon), pair.subarray(colon + 1)]
  return made('preset', '--preset', () => {
    return newPreset(challenge, response, randomBytes(PRESET_SALT_BYTES))
  })
}

async function made(
  kind: CredentialKind,
  option: string,
  make: () => object | Promise<object>,
): Promise<NewProof> {
  try {
    return { kind, data: (await make()) as JsonObject, label: '' }
  } catch (error) {
    throw usage(`${option}: ${error instanceof Error ? error.message : error}`)
  }
}
