/** Who a CONNECT says its client is, which proves nothing yet. */
import type { IConnectPacket } from 'mqtt-packet'
import { type Entry, parsePath } from '../../../protocol/address.ts'
import { Refusal } from '../../../protocol/codes.ts'
import { parseName } from '../../../protocol/name.ts'

/** A room that a client's path leads to (R4). */
export type DevicePath = Extract<Entry, { kind: 'room' }> & { readonly client: string }

export type Claim =
  /** It does not say. */
  | { readonly kind: 'nobody' }
  /** Somebody in an account; `client`: that one. Slugs or UUIDs. */
  | { readonly kind: 'account'; readonly account: string; readonly client?: string }
  | { readonly kind: 'device'; readonly path: DevicePath }
  /** A name that nobody can have, such as `#` (A12). */
  | { readonly kind: 'impossible' }

/**
 * By the user name: `{account}`, `{account}/{client}`, or a path as in a URL,
 * `{account}/{room}/{client-uuid}[/{channel}]`. Without one, a client id may be such a path, and
 * says nothing otherwise.
 */
export function claimOf({
  username,
  clientId,
}: Pick<IConnectPacket, 'username' | 'clientId'>): Claim {
  const path = devicePath(username ?? clientId)
  if (path) return { kind: 'device', path }
  return username === undefined ? { kind: 'nobody' } : namedBy(username)
}

function namedBy(userName: string): Claim {
  const [account = '', client, ...more] = userName.split('/')
  if (more.length > 0) return { kind: 'impossible' }
  try {
    return {
      kind: 'account',
      account: parseName(account, 'account'),
      ...(client !== undefined && { client: parseName(client, 'client') }),
    }
  } catch (error) {
    if (error instanceof Refusal) return { kind: 'impossible' }
    throw error
  }
}

/** `{account}/{room}/{client-uuid}` and perhaps more. */
const PATH_PARTS = 3

function devicePath(text: string): DevicePath | undefined {
  // Nearly all are names, and a refusal is dear to make.
  if (text.split('/', PATH_PARTS).length < PATH_PARTS) return undefined
  try {
    const entry = parsePath(`/${text}`)
    return entry.kind === 'room' && entry.client !== undefined ? (entry as DevicePath) : undefined
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}
