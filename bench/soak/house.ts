/** What a soak plays in: a gateway of its own, with an account and rooms of every kind. */
import { randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromJson, type JsonValue } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import { newToken } from '../../gateway/identity/tokens.ts'
import type { Store } from '../../gateway/store/store.ts'
import { openDatabase } from '../database.ts'
import { peers } from '../peers.ts'
import type { Server } from '../process.ts'

export const ACCOUNT = 'soak'

/** By slug: the blocks that a user has. */
const rooms: Readonly<Record<string, JsonValue[]>> = {
  hall: [
    // Full after any round.
    { history: { keep: 'KEEP_WINDOW', window: { messages: 50 } } },
    { presence: { enabled: true } },
    { limits: { sockets: 1_000, payloadBytes: 65_536, socketRate: { perSecond: 1_000 } } },
  ],
  ledger: [
    { history: { keep: 'KEEP_DURABLE' } },
    { retention: { messages: '1000' } },
    { presence: { enabled: true } },
  ],
  board: [
    { retained: { values: 'VALUES_ALL' } },
    { sessionHistory: { owners: 'OWNERS_ALL' } },
    { messages: { json: {} } },
  ],
  desk: [{ channels: { allowed: ['questions'], only: true } }],
  // For those who read too slowly: in one they are told what they lost, in the other dropped.
  patient: [{ slowConsumers: { policy: 'POLICY_DROP_OLDEST' } }],
  strict: [],
}

export const roomNames = Object.keys(rooms)

export interface House extends AsyncDisposable {
  readonly gateway: Server
  readonly url: string
  readonly mqttUrl: string
  readonly httpUrl: string
  /** Of the operator. */
  readonly key: string
  /** Secret of a token that may do anything in the rooms. */
  readonly token: string
}

/** Below `folder` is the gateway's data folder; `env` is the gateway's. */
export async function openHouse(folder: string, env: Record<string, string>): Promise<House> {
  const opened = new AsyncDisposableStack()
  try {
    const { store, dataDir } = opened.use(await openDatabase(folder))
    const token = await furnish(store)
    const gateway = await peers.porthouse!(folder, env)
    opened.defer(() => gateway.stop())
    const { port, ports } = gateway
    return {
      gateway,
      url: `ws://127.0.0.1:${port}`,
      mqttUrl: `mqtt://127.0.0.1:${ports.at(-1)}`,
      httpUrl: `http://127.0.0.1:${port}`,
      key: (await readFile(join(dataDir, 'operator.key'), 'utf8')).trim(),
      token,
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

/** Makes account and rooms, and gives the secret of a token for all of them. */
async function furnish(store: Store): Promise<string> {
  await store.accounts.create({ slug: ACCOUNT })
  for (const [slug, blocks] of Object.entries(rooms)) {
    const config = fromJson(ConfigSchema, { blocks })
    await store.rooms.create({ account: ACCOUNT, slug, config, author: ACCOUNT })
  }
  const { secret, ...token } = newToken(randomUUID(), randomBytes(32))
  const rights = { send: true, receive: true, admit: false, channels: [] }
  const grants = roomNames.map((room) => ({ room, ...rights }))
  await store.tokens.create({ ...token, account: ACCOUNT, grants })
  return secret
}
