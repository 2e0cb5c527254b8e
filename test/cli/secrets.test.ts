/** S1: with what is stored nobody can log in. */
import { randomBytes } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newLogin } from '../../gateway/identity/logins.ts'
import { connect } from '../../gateway/store/postgres/database.ts'
import { openFolders } from '../../gateway/store/postgres/embedded/folders.ts'
import { tablesIn } from '../store/backup-fixture.ts'
import { DataFolder, json } from './process.ts'

let data: DataFolder
let env: Record<string, string>
beforeAll(async () => {
  data = await DataFolder.open()
  env = data.env
})
afterAll(() => data.close())

/** All rows of all tables, as text. */
async function everything(): Promise<string> {
  const sql = connect({ sockets: openFolders(data.path).sockets }, 1, 0)
  const texts: string[] = []
  for (const table of await tablesIn(sql)) {
    const rows = await sql<{ row: string }[]>`select t::text as row from ${sql(table)} t`
    texts.push(`${table}:`, ...rows.map(({ row }) => row))
  }
  await sql.end()
  return texts.join('\n')
}

/** A secret in the ways that it could be written down. */
function formsOf(secret: string): string[] {
  const bytes = [Buffer.from(secret), Buffer.from(secret, 'base64url')]
  const encodings = ['hex', 'base64', 'base64url'] as const
  return [secret, ...bytes.flatMap((each) => encodings.map((form) => each.toString(form)))]
}

it('keeps no token, key, password, preset or cookie', async () => {
  const run = <T = { secret: string }>(args: string[], input?: string) =>
    json<T>(args, { env, ...(input !== undefined && { input }) })
  await data.store.accounts.create({ slug: 'acme' })
  const config = create(ConfigSchema)
  await data.store.rooms.create({ account: 'acme', slug: 'hall', config, author: 'ann' })
  await data.store.clients.create({ account: 'acme', slug: 'bob', grants: [] })
  const token = await run(['token', 'create', 'acme', '--room', 'hall:send,receive'])
  const { id } = token as unknown as { id: string }
  const regenerated = await run(['token', 'regenerate', id])
  const key = await run(['account', 'key', 'create', 'acme'])
  const [password, preset] = [randomBytes(24), randomBytes(24)].map((each) => each.toString('hex'))
  await run(['client', 'key', 'add', 'acme/bob', '--password-stdin'], `${password}\n`)
  await run(['client', 'key', 'add', 'acme/bob', '--preset', `who:${preset}`])
  const { cookie, hash } = newLogin(randomBytes(32), 'r'.repeat(43))
  const expiresAt = new Date('2100-01-01')
  await data.store.logins.create({ hash, account: 'acme', client: 'bob', expiresAt })
  const stored = await everything()
  for (const table of ['tokens', 'credentials', 'logins']) {
    expect(stored).toMatch(new RegExp(`^${table}:\n\\(`, 'm'))
  }
  // A secret names what it is of, by the id that comes before its random part.
  const randomOf = (secret: string) => secret.slice(-43)
  const secrets = [token, regenerated, key].map(({ secret }) => randomOf(secret))
  for (const secret of [...secrets, password!, preset!, cookie.slice(0, 43)]) {
    expect(formsOf(secret).filter((form) => stored.includes(form))).toEqual([])
  }
})
