/**
 * The rooms of the workloads, made on the store in one go: open ones, so that tokens cost nothing.
 * MQTT is spoken by nobody without a login, so there is one token for all who speak it.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { type BlockSchema, ConfigSchema } from '@porthouse/proto/room/v1/config'
import { Keep } from '@porthouse/proto/room/v1/history'
import { newToken } from '../gateway/identity/tokens.ts'
import type { RoomRecord, Store } from '../gateway/store/store.ts'

export const ACCOUNT = 'bench'
const token = newToken(randomUUID(), randomBytes(32))
/** Of whoever speaks MQTT. */
export const login = { user: ACCOUNT, password: token.secret }

/** As the generator names them. */
export const roomNames: readonly string[] = ['w1', ...numbered('w2', 500), 'w3']
const durable = numbered('w6', 50)

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${name}-${n}`)
}

/** Gives the id of one more durable room, which no workload has. */
export async function makeRooms(store: Store): Promise<string> {
  await store.accounts.create({ slug: ACCOUNT })
  await store.tokens.create({ ...token, account: ACCOUNT, grants: [] })
  for (const slug of roomNames) await makeRoom(store, slug)
  await makeRoom(store, 'w1-window', window)
  for (const slug of durable) await makeRoom(store, slug, history)
  return (await makeRoom(store, 'bare', history)).id
}

type Kind = NonNullable<MessageInitShape<typeof BlockSchema>['kind']>

/** Of a room that keeps all that is sent. */
export const history: Kind = { case: 'history', value: { keep: Keep.DURABLE } }

/** Of a room whose messages wait while the gateway is busy (G4). */
const window: Kind = { case: 'flushWindow', value: { milliseconds: 5 } }

/** A room for everybody, with these blocks beside. */
export function makeRoom(store: Store, slug: string, ...further: Kind[]): Promise<RoomRecord> {
  const open: Kind = { case: 'access', value: {} }
  const config = create(ConfigSchema, { blocks: [open, ...further].map((kind) => ({ kind })) })
  return store.rooms.create({ account: ACCOUNT, slug, config, author: ACCOUNT })
}
