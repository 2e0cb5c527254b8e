/**
 * The rooms of the workloads, made on the store in one go: open ones, so that tokens cost nothing.
 * MQTT is spoken by nobody without a login, so there is one token for all who speak it.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { create } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import { newToken } from '../gateway/identity/tokens.ts'
import { openLog } from '../gateway/observe/log.ts'
import { openStore } from '../gateway/store/postgres/open.ts'
import { roomNames } from './workloads.ts'

const ACCOUNT = 'bench'
const token = newToken(randomUUID(), randomBytes(32))
/** Of whoever speaks MQTT. */
export const login = { user: ACCOUNT, password: token.secret }
/** How long the database waits for another user before it ends, in place of the default 20 s. */
export const GRACE_MS = 500
const POLL_MS = 100
const END_LIMIT_MS = 20_000

/**
 * Makes `folder/data` as a gateway's data folder. Until it is disposed of, the database behind it
 * stays up, so that no leg waits for its start.
 */
export async function makeRooms(folder: string): Promise<AsyncDisposable> {
  const { log } = openLog('silent')
  const dataDir = join(folder, 'data')
  const store = await openStore({ dataDir, log, embedded: { graceMs: GRACE_MS } })
  const open = create(ConfigSchema, { blocks: [{ kind: { case: 'access', value: {} } }] })
  await store.accounts.create({ slug: ACCOUNT })
  await store.tokens.create({ ...token, account: ACCOUNT, grants: [] })
  for (const slug of roomNames) {
    await store.rooms.create({ account: ACCOUNT, slug, config: open, author: ACCOUNT })
  }
  return {
    async [Symbol.asyncDispose]() {
      await store.close()
      await ended(join(dataDir, 'postgres/postmaster.pid'))
    },
  }
}

/** Resolves once the database has taken its pid file away, so that the folder can go. */
export async function ended(pidFile: string): Promise<void> {
  for (let waited = 0; existsSync(pidFile); waited += POLL_MS) {
    if (waited >= END_LIMIT_MS) throw new Error(`the database did not end: ${pidFile}`)
    await delay(POLL_MS)
  }
}
