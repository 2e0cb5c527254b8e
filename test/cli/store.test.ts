import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { proveToken } from '../../gateway/identity/tokens.ts'
import { DataFolder, json, porthouse } from './process.ts'

interface Token {
  id: string
  secret: string
  expiresAt?: string
}

let data: DataFolder
let env: Record<string, string>
beforeAll(async () => {
  data = await DataFolder.open()
  env = data.env
})
afterAll(() => data.close())

const uuid = expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)

describe('account', () => {
  it('is created, listed, shown and deleted', async () => {
    const made = await json<{ id: string }>(['account', 'create', 'acme'], { env })
    expect(made).toMatchObject({ id: uuid, slug: 'acme' })
    expect(await json(['account', 'list'], { env })).toContainEqual(made)
    expect(await json(['account', 'show', made.id], { env })).toEqual(made)
    const table = await porthouse(['account', 'list'], { env })
    expect(table.stdout).toMatch(/^account +id +created\nacme +[\da-f-]{36} /)
    await json(['account', 'delete', 'acme'], { env })
    expect(await data.store.accounts.find('acme')).toBeUndefined()
  })

  it('that is there already, or is not there, fails with one line and a code', async () => {
    await data.store.accounts.create({ slug: 'twice' })
    const again = await porthouse(['account', 'create', 'twice', '--json'], { env })
    expect(again).toMatchObject({ code: 1, stdout: '' })
    expect(JSON.parse(again.stderr)).toMatchObject({ error: { code: 'EXISTS' } })
    const none = await porthouse(['account', 'delete', 'nobody'], { env })
    expect(none).toMatchObject({ code: 1, stdout: '' })
    expect(none.stderr).toBe(
      'porthouse: there is no account nobody; make it with: porthouse account create nobody\n',
    )
  })
})

describe('room', () => {
  beforeAll(() => data.store.accounts.create({ slug: 'rooms' }))

  it('is created with the token lock by default', async () => {
    const made = await json(['room', 'create', 'rooms/plain'], { env })
    expect(made).toMatchObject({ id: uuid, address: 'room:rooms/plain', revision: 1, config: {} })
    expect(await json(['room', 'list', 'rooms'], { env })).toEqual([made])
    expect(await json(['room', 'show', 'rooms/plain'], { env })).toEqual(made)
    await json(['room', 'delete', 'rooms/plain'], { env })
    expect(await data.store.rooms.find('rooms', 'plain')).toBeUndefined()
  })

  it('has the blocks that the options ask for, over those of a file', async () => {
    const file = join(data.path, 'room.json')
    const blocks = [{ access: { locks: ['token'] } }, { echo: { enabled: true } }]
    writeFileSync(file, JSON.stringify({ blocks }))
    const args = ['room', 'create', 'rooms/open', '--open', '--slow', 'conflate', '--config', file]
    expect(await json(args, { env })).toMatchObject({
      config: {
        blocks: [
          { access: {} },
          { echo: { enabled: true } },
          { slowConsumers: { policy: 'POLICY_CONFLATE' } },
        ],
      },
    })
  })

  it('is refused a file that is no room config', async () => {
    const file = join(data.path, 'wrong.json')
    for (const [text, word] of [
      ['{"blocks":[{"ecko":{}}]}', 'ecko'],
      ['{"blocks":[{"access":{"locks":["tokn"]}}]}', 'tokn'],
      ['{"blocks":[{"echo":{}},{"echo":{}}]}', 'more than one block echo'],
    ] as const) {
      writeFileSync(file, text)
      const { code, stderr } = await porthouse(['room', 'create', 'rooms/x', '--config', file], {
        env,
      })
      expect({ code, told: stderr.includes(word) }).toEqual({ code: 2, told: true })
    }
  })

  it('of an unknown account is told with the next step', async () => {
    const { code, stderr } = await porthouse(['room', 'create', 'nobody/x'], { env })
    expect(code).toBe(1)
    expect(stderr).toContain('make it with: porthouse account create nobody')
  })
})

describe('token', () => {
  beforeAll(async () => {
    await data.store.accounts.create({ slug: 'tokens' })
    await json(['room', 'create', 'tokens/a'], { env })
    await json(['room', 'create', 'tokens/b'], { env })
  })

  it('is created with a secret that proves it and is shown once', async () => {
    const rights = ['--room', 'a:send,receive', '--room', 'tokens/b:receive']
    const args = ['token', 'create', 'tokens', ...rights, '--client', 'bob', '--expires', '30d']
    const { secret, ...shown } = await json<Token>(args, { env })
    expect(shown).toMatchObject({
      id: uuid,
      account: 'tokens',
      client: 'bob',
      rooms: [
        { room: 'a', send: true, receive: true },
        { room: 'b', send: false, receive: true },
      ],
    })
    const days = (Date.parse(shown.expiresAt!) - Date.now()) / 86_400_000
    expect(days).toBeGreaterThan(29)
    const proof = await proveToken(data.store.tokens, secret, Date.now())
    expect(proof).toMatchObject({ outcome: 'proved', record: { id: shown.id } })
    expect(await json(['token', 'list', 'tokens'], { env })).toEqual([shown])
    expect(await json(['token', 'show', shown.id], { env })).toEqual(shown)
    await json(['token', 'delete', shown.id], { env })
    expect(await data.store.tokens.find(shown.id)).toBeUndefined()
  })

  it('prints the secret alone on a line for people', async () => {
    const { stdout } = await porthouse(['token', 'create', 'tokens', '--room', 'a:send'], { env })
    expect(stdout).toMatch(/^token .*\npht_\S+\n$/)
  })

  it('for a room that is not there, or of another account, is refused', async () => {
    const none = await porthouse(['token', 'create', 'tokens', '--room', 'c:send'], { env })
    expect(none.code).toBe(1)
    expect(none.stderr).toContain('porthouse room create tokens/c')
    const other = await porthouse(['token', 'create', 'tokens', '--room', 'x/a:send'], { env })
    expect(other.code).toBe(2)
  })
})

describe('a store that is away', () => {
  it('is told with its own exit code', async () => {
    const away = { DATABASE_URL: 'postgres://user:secret@127.0.0.1:1/none' }
    const { code, stderr } = await porthouse(['account', 'list', '--json'], { env: away })
    expect(code).toBe(4)
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'UNAVAILABLE' } })
    expect(stderr).not.toContain('secret')
  })

  it('is told with the next step where the data folder cannot be', async () => {
    const file = join(data.path, 'a-file')
    writeFileSync(file, '')
    const { code, stderr } = await porthouse(['account', 'list', '--data', file])
    expect(code).toBe(1)
    expect(stderr).toContain('--data DIR')
  })
})
