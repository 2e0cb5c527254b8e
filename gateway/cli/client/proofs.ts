/** What a client is to prove itself by, from the options of `porthouse client …`. */
import { readFileSync, statSync } from 'node:fs'
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { CredentialSchema } from '@porthouse/proto/admin/v1/client_service'
import { PASSWORD_BYTES_MAX, passwordFault } from '../../identity/passwords.ts'
import { PRESET_BYTES_MAX, presetFault } from '../../identity/presets.ts'
import { readPublicKeyLine } from '../../identity/ssh-public-key.ts'
import { SshError } from '../../identity/ssh-wire.ts'
import { usage } from '../failure.ts'
import { pipedInput } from '../lines.ts'

export interface ProofOptions {
  /** Files. */
  readonly sshKey?: readonly string[]
  readonly passwordStdin?: boolean
  /** CHALLENGE:RESPONSE, or `-` for stdin. */
  readonly preset?: string
}

export type NewCredential = MessageInitShape<typeof CredentialSchema>

const COLON = 0x3a

/** Throws a Failure of usage. */
export async function readProofs(options: ProofOptions): Promise<NewCredential[]> {
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

function sshKey(file: string): NewCredential {
  try {
    if (statSync(file).size > KEY_FILE_BYTES_MAX) throw new SshError('it is too long')
    const value = readFileSync(file, 'utf8').trim()
    // A private key is told here, and goes nowhere.
    readPublicKeyLine(value)
    return { proof: { case: 'sshKey', value } }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw usage(`--ssh-key ${file} is not a public key: ${reason}`)
  }
}

async function password(): Promise<NewCredential> {
  const typed = await pipedInput(PASSWORD_BYTES_MAX, '--password-stdin')
  const value = typed.toString('utf8')
  if (!Buffer.from(value).equals(typed)) throw usage('--password-stdin: it is not UTF-8')
  const fault = passwordFault(value)
  if (fault) throw usage(`--password-stdin: ${fault}`)
  return { proof: { case: 'password', value } }
}

async function presetOf(typed: string): Promise<NewCredential> {
  const pair =
    typed === '-' ? await pipedInput(2 * PRESET_BYTES_MAX + 1, '--preset -') : Buffer.from(typed)
  const colon = pair.indexOf(COLON)
  // What was typed is not quoted, for it may be the response.
  if (colon === -1) throw usage('--preset is not of the form CHALLENGE:RESPONSE')
  const value = { challenge: pair.subarray(0, colon), response: pair.subarray(colon + 1) }
  const fault = presetFault(value)
  if (fault) throw usage(`--preset: ${fault}`)
  return { proof: { case: 'preset', value } }
}
