/** What an account or client proves itself by, as it is shown: never what it is checked with. */
import { fingerprintOf } from '../identity/client-proofs.ts'
import type { Credential } from '../store/store.ts'
import { harmless, printTable } from './output.ts'

export interface CredentialRow {
  readonly id: string
  readonly kind: Credential['kind']
  readonly account: string
  readonly client?: string
  readonly label: string
  /** Of an SSH key, as `ssh-keygen -l` has it. */
  readonly fingerprint?: string
  readonly createdAt: string
  readonly expiresAt?: string
}

export function credentialForScripts(credential: Credential): CredentialRow {
  const { id, kind, account, client, label, createdAt, expiresAt } = credential
  const fingerprint = fingerprintOf(credential)
  return {
    id,
    kind,
    account: account.slug,
    ...(client && { client: client.slug }),
    label,
    ...(fingerprint !== undefined && { fingerprint }),
    createdAt: createdAt.toISOString(),
    ...(expiresAt && { expiresAt: expiresAt.toISOString() }),
  }
}

export function printCredentials(credentials: readonly Credential[]): void {
  printTable(
    ['key', 'kind', 'created', 'expires', 'what'],
    credentials.map((one) => [
      one.id,
      one.kind,
      one.createdAt.toISOString(),
      one.expiresAt?.toISOString() ?? 'never',
      // The label may be the comment of a file that somebody sent.
      [fingerprintOf(one) ?? '', harmless(one.label)].join(' ').trim() || '-',
    ]),
  )
}
