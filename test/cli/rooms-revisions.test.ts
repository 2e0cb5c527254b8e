/** A room's configs are kept with author and time, compared, and gone back to (R19). */
import { create, fromJson, type JsonObject } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../../gateway/store/postgres/database.ts'
import { openFolders } from '../../gateway/store/postgres/embedded/folders.ts'
import { DataFolder, json, porthouse } from './process.ts'

let data: DataFolder
let env: Record<string, string>
beforeAll(async () => {
  data = await DataFolder.served()
  env = data.env
  await data.store.accounts.create({ slug: 'acme' })
})
afterAll(() => data.close())

const ECHO = { echo: { enabled: true } }
const SLOW = { slowConsumers: { policy: 'POLICY_CONFLATE' } }

/** A hook that guards a room; its secret is masked where it is shown. */
const hook = (secret: string): JsonObject => {
  const options = { url: 'https://door.example/', secret: `whsec_${btoa(secret.repeat(30))}` }
  return { access: { flow: { lock: { acceptor: 'webhook', options } } } }
}

/** A room whose configs were these, one after the other. */
async function roomOf(slug: string, ...configs: JsonObject[][]): Promise<string> {
  const config = create(ConfigSchema)
  await data.store.rooms.create({ account: 'acme', slug, config, author: 'ann' })
  for (const blocks of configs) {
    await data.store.rooms.configure('acme', slug, fromJson(ConfigSchema, { blocks }), 'bob')
  }
  return `acme/${slug}`
}

describe('room revisions', () => {
  it('lists all of them, the latest first, with author and time', async () => {
    const name = await roomOf('many', ...Array.from({ length: 60 }, () => [ECHO]))
    type Row = { revision: number; author: string; createdAt: string }
    const rows = await json<Row[]>(['room', 'revisions', name], { env })
    expect(rows.map(({ revision }) => revision)).toEqual(
      Array.from({ length: 61 }, (_, i) => 61 - i),
    )
    expect(rows.map(({ author }) => author)).toEqual([...Array(60).fill('bob'), 'ann'])
    for (const { createdAt } of rows) expect(new Date(createdAt).toISOString()).toBe(createdAt)
    const { stdout } = await porthouse(['room', 'revisions', name], { env })
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      expect.stringMatching(/^revision +created +author$/),
      expect.stringMatching(/^61 +\d{4}-\d\d-\d\dT[^ ]+ +bob$/),
    ])
  })

  it('tells who made which call', async () => {
    await json(['room', 'create', 'acme/mine'], { env })
    const set = ['room', 'config', 'set', 'acme/mine', '-']
    await json(set, { env, input: JSON.stringify({ blocks: [ECHO] }) })
    await json(['room', 'rollback', 'acme/mine', '1'], { env })
    const rows = await json<{ author: string }[]>(['room', 'revisions', 'acme/mine'], { env })
    expect(rows.map(({ author }) => author)).toEqual([
      'operator, by RollbackRoom to 1',
      'operator, by UpdateRoom',
      'operator, by CreateRoom',
    ])
  })
})

describe('room diff', () => {
  it('shows the last change, or what lies between two revisions', async () => {
    const name = await roomOf('den', [ECHO], [ECHO, SLOW])
    const { stdout, code } = await porthouse(['room', 'diff', name], { env })
    expect({ code, lines: stdout.split('\n') }).toEqual({
      code: 0,
      lines: [
        '--- accounts/acme/rooms/den/revisions/2',
        '+++ accounts/acme/rooms/den/revisions/3',
        '@@ -4,6 +4,11 @@',
        '       "echo": {',
        '         "enabled": true',
        '       }',
        '+    },',
        '+    {',
        '+      "slowConsumers": {',
        '+        "policy": "POLICY_CONFLATE"',
        '+      }',
        '     }',
        '   ]',
        ' }',
        '',
      ],
    })
    const back = await json<object>(['room', 'diff', name, '3', '1'], { env })
    expect(back).toMatchObject({ from: 3, to: 1, blocks: ['echo', 'slow_consumers'] })
    const first = await json<object>(['room', 'diff', name, '0', '1'], { env })
    expect(first).toEqual({ from: 0, to: 1, blocks: [], diff: '' })
  })

  it('masks secrets, and tells where they alone differ', async () => {
    const name = await roomOf('vault', [hook('a')], [hook('b')])
    const masked = await porthouse(['room', 'diff', name], { env })
    expect(masked).toMatchObject({ code: 0, stdout: '' })
    expect(masked.stderr).toContain('--reveal')
    const all = await porthouse(['room', 'diff', name, '1', '3', '--json'], { env })
    expect(all.stdout).toContain('***')
    expect(all.stdout + masked.stderr).not.toContain('whsec_')
    const revealed = await porthouse(['room', 'diff', name, '--reveal'], { env })
    expect(revealed.stdout.match(/^[+-] .*whsec_/gm)).toHaveLength(2)
  })

  it('is refused for what is not there', async () => {
    const name = await roomOf('hut')
    for (const [args, code] of [
      [[name, '2'], 1],
      [['acme/nowhere'], 1],
      [[name, 'last'], 2],
      [[name, '99999999999'], 2],
    ] as const) {
      const ended = await porthouse(['room', 'diff', ...args], { env })
      expect({ args, code: ended.code, out: ended.stdout }).toEqual({ args, code, out: '' })
    }
  })
})

describe('room rollback', () => {
  it('makes a new revision of an old config', async () => {
    const name = await roomOf('loft', [ECHO], [SLOW])
    const { stdout } = await porthouse(['room', 'rollback', name, '2'], { env })
    expect(stdout).toBe(`room ${name} has config 4, which is that of 2\n`)
    expect(await json(['room', 'config', 'show', name], { env })).toEqual({ blocks: [ECHO] })
    expect((await porthouse(['room', 'rollback', name, '9'], { env })).code).toBe(1)
  })

  it('is refused where that config could not be used any more', async () => {
    const name = await roomOf('barn', [{ access: { locks: ['gone'] } }], [ECHO])
    const { code, stderr } = await porthouse(['room', 'rollback', name, '2'], { env })
    expect({ code, told: stderr.includes('no acceptor gone') }).toEqual({ code: 2, told: true })
    expect((await data.store.rooms.find('acme', 'barn'))!.revision).toBe(3)
  })
})

describe('a config of a later version', () => {
  /** The one in force becomes such a one. */
  async function outdate(slug: string): Promise<void> {
    const sql = connect({ sockets: openFolders(data.path).sockets }, 1, 0)
    await sql`
      update room_revisions set config = '{"blocks": [{"newLock": {}}]}' from rooms
      where slug = ${slug} and room_id = rooms.id and room_revisions.revision = rooms.revision`
    await sql.end()
  }

  it('is told as such, and the room is not lost by it', async () => {
    const name = await roomOf('later', [ECHO], [SLOW])
    await outdate('later')
    for (const args of [
      ['show', name],
      ['config', 'show', name],
      ['diff', name],
      ['rollback', name, '3'],
    ]) {
      const { code, stderr } = await porthouse(['room', ...args, '--json'], { env })
      const { error } = JSON.parse(stderr)
      expect({ args, code, error: error.code }).toEqual({ args, code: 1, error: 'UNREADABLE' })
      expect(error.message).toContain(`porthouse room revisions ${name}`)
    }
    type Row = { revision: number; unreadable?: true }
    const rows = await json<Row[]>(['room', 'revisions', name], { env })
    expect(rows.map(({ revision, unreadable }) => [revision, unreadable])).toEqual([
      [3, true],
      [2, undefined],
      [1, undefined],
    ])
    const { stdout } = await porthouse(['room', 'revisions', name], { env })
    expect(stdout.split('\n')[1]).toMatch(/bob \(of a later version of porthouse\)$/)
    const listed = await json<{ slug: string; config: unknown }[]>(['room', 'list', 'acme'], {
      env,
    })
    expect(listed.find(({ slug }) => slug === 'later')?.config).toBeNull()
    const back = await porthouse(['room', 'rollback', name, '2'], { env })
    expect(back.stdout).toBe(`room ${name} has config 4, which is that of 2\n`)
    expect(await json(['room', 'config', 'show', name], { env })).toEqual({ blocks: [ECHO] })
  })
})
