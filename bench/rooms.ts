/**
 * The rooms of the workloads, made on the store in one go: open ones, so that tokens cost nothing.
 */
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import { openLog } from '../gateway/observe/log.ts'
import { openStore } from '../gateway/store/postgres/open.ts'
import { roomNames } from './workloads.ts'

const ACCOUNT = 'bench'

/**
 * Makes `folder/data` as a gateway's data folder. Until it is disposed of, the database behind it
 * stays up, so that no leg waits for its start.
 */
export async function makeRooms(folder: string): Promise<AsyncDisposable> {
  const { log } = openLog('silent')
  const store = await openStore({ url: undefined, dataDir: join(folder, 'data'), log })
  const open = create(ConfigSchema, { blocks: [{ kind: { case: 'access', value: {} } }] })
  await store.accounts.create({ slug: ACCOUNT })
  for (const slug of roomNames) {
    await store.rooms.create({ account: ACCOUNT, slug, config: open, author: ACCOUNT })
  }
  return { [Symbol.asyncDispose]: () => store.close() }
}
