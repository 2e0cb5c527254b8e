/** What an account or client proves itself by, as it is shown: never what it is checked with. */
import { type Credential, CredentialKind } from '@porthouse/proto/admin/v1/client_service'
import type { ConnectionKey } from '@porthouse/proto/admin/v1/connection_key_service'
import { harmless, printTable } from './output.ts'
import { idIn, timeOf } from './resource.ts'

export interface CredentialRow {
  readonly id: string
  readonly kind: string
  readonly account: string
  readonly client?: string
  readonly label: string
  /** Of an SSH key, as `ssh-keygen -l` has it. */
  readonly fingerprint?: string
  readonly createdAt: string
  readonly expiresAt?: string
}

const KINDS: Readonly<Record<number, string>> = {
  [CredentialKind.SSH_KEY]: 'ssh-key',
  [CredentialKind.PASSWORD]: 'password',
  [CredentialKind.PRESET]: 'preset',
}

export function credentialForScripts({ kind, fingerprint, ...credential }: Credential) {
  const [, account = '', , client = ''] = credential.name.split('/')
  const { id, label, ...times } = shownOf(credential)
  return {
    ...{ id, kind: KINDS[kind] ?? String(kind), account, client, label },
    ...(fingerprint !== '' && { fingerprint }),
    ...times,
  }
}

export function keyForScripts(key: ConnectionKey): CredentialRow {
  const [, account = ''] = key.name.split('/')
  const { id, label, ...times } = shownOf(key)
  return { id, kind: 'connection-key', account, label, ...times }
}

function shownOf({
  name,
  label,
  createTime,
  expireTime,
}: Pick<ConnectionKey, 'name' | 'label' | 'createTime' | 'expireTime'>) {
  const expiresAt = expireTime && timeOf(expireTime)
  return { id: idIn(name), label, createdAt: timeOf(createTime!), ...(expiresAt && { expiresAt }) }
}

export function printCredentials(rows: readonly CredentialRow[]): void {
  printTable(
    ['key', 'kind', 'created', 'expires', 'what'],
    rows.map(({ id, kind, createdAt, expiresAt, fingerprint, label }) => [
      id,
      kind,
      createdAt,
      expiresAt ?? 'never',
      // The label may be the comment of a file that somebody sent.
      [fingerprint ?? '', harmless(label)].join(' ').trim() || '-',
    ]),
  )
}
