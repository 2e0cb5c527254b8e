/** What a client is to prove itself by, as it is given: checked, hashed, and not yet kept (R7). */
import { type Credential, CredentialKind } from '@porthouse/proto/admin/v1/client_service'
import { type NewProof, SINGLE } from '../../identity/client-proofs.ts'
import { newPassword, PASSWORD_SALT_BYTES, passwordFault } from '../../identity/passwords.ts'
import { newPreset, PRESET_SALT_BYTES } from '../../identity/presets.ts'
import { readPublicKeyLine, type SshCredential } from '../../identity/ssh-public-key.ts'
import { SshError } from '../../identity/ssh-wire.ts'
import { invalid } from '../../protocol/violations.ts'
import type { CredentialKind as Kind } from '../../store/store.ts'
import { expiryOf, labelOf } from '../fields.ts'
import type { AdminParts } from '../parts.ts'

/** Of a label; the comment of a key may be longer. */
const LABEL_CHARS_MAX = 128

const KINDS: ReadonlyMap<Kind, CredentialKind> = new Map([
  ['ssh-key', CredentialKind.SSH_KEY],
  ['password', CredentialKind.PASSWORD],
  ['preset', CredentialKind.PRESET],
])

export function shownKind(kind: Kind): CredentialKind {
  return KINDS.get(kind) ?? CredentialKind.UNSPECIFIED
}

/** Throws Violations. */
export async function proofsOf(
  parts: AdminParts,
  credentials: readonly Credential[],
): Promise<NewProof[]> {
  const proofs: NewProof[] = []
  for (const [i, credential] of credentials.entries()) {
    const proof = await proofOf(parts, credential, `credentials[${i}]`)
    if (SINGLE.includes(proof.kind) && proofs.some(({ kind }) => kind === proof.kind)) {
      throw invalid(`credentials[${i}]`, `is a second ${proof.kind}; a client has one`)
    }
    proofs.push(proof)
  }
  return proofs
}

/** Throws Violations. */
export async function proofOf(
  parts: AdminParts,
  { proof, label: text, expireTime }: Credential,
  field: string,
): Promise<NewProof> {
  const label = labelOf(text, `${field}.label`)
  const expiresAt = expiryOf(expireTime, parts.clock(), `${field}.expireTime`)
  const made = await dataOf(parts, proof, field)
  return { ...made, label: label || made.label, ...(expiresAt && { expiresAt }) }
}

async function dataOf(
  { random }: AdminParts,
  proof: Credential['proof'],
  field: string,
): Promise<NewProof> {
  switch (proof.case) {
    case 'sshKey':
      return { kind: 'ssh-key', ...keyOf(proof.value, `${field}.sshKey`) }
    case 'password': {
      const fault = passwordFault(proof.value)
      if (fault) throw invalid(`${field}.password`, `cannot be one: ${fault}`)
      const data = await newPassword(proof.value, random(PASSWORD_SALT_BYTES))
      return { kind: 'password', data: { ...data }, label: '' }
    }
    case 'preset': {
      const { challenge, response } = proof.value
      const data = newPreset(challenge, response, random(PRESET_SALT_BYTES))
      return { kind: 'preset', data: { ...data }, label: '' }
    }
    default:
      throw invalid(field, 'has none of sshKey, password and preset')
  }
}

function keyOf(line: string, field: string): SshCredential {
  try {
    const { data, label } = readPublicKeyLine(line)
    return { data, label: label.slice(0, LABEL_CHARS_MAX).toWellFormed() }
  } catch (error) {
    if (!(error instanceof SshError)) throw error
    throw invalid(field, `is not a public key: ${error.message}`)
  }
}
