/** Revisions of a room's config by the admin API: listed, compared, gone back to (R19). */
import type { JsonObject } from '@bufbuild/protobuf'
import type { Client } from '@connectrpc/connect'
import { AccountService } from '@porthouse/proto/admin/v1/account_service'
import { AuditService } from '@porthouse/proto/admin/v1/audit_service'
import { type RoomRevision, RoomService } from '@porthouse/proto/admin/v1/room_service'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminClient, failure } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'
import { configOf, LATER, WEBHOOK } from './configs.ts'

let gateway: TestGateway
let rooms: Client<typeof RoomService>

beforeAll(async () => {
  gateway = await TestGateway.start()
  const operator = await gateway.operatorKey()
  rooms = adminClient(RoomService, gateway, operator)
  await adminClient(AccountService, gateway, operator).createAccount({ accountId: 'acme' })
})
afterAll(() => gateway.stop())

/** The name of a room that has had these configs. */
async function roomOf(roomId: string, ...configs: JsonObject[][]): Promise<string> {
  const [first = [], ...rest] = configs
  const room = { config: configOf(...first) }
  const { name } = await rooms.createRoom({ parent: 'accounts/acme', roomId, room })
  for (const blocks of rest) {
    await rooms.updateRoom({ room: { name, config: configOf(...blocks) } })
  }
  return name
}

const ECHO = { echo: { enabled: true } }
const limited = (sockets: number) => ({ limits: { sockets } })

/** Its latest config becomes one that this version cannot read. */
function makeLater(slug: string): Promise<void> {
  return gateway.sql(
    (sql) => sql`
      update room_revisions set config = ${LATER}::text::jsonb from rooms
      where slug = ${slug} and room_id = rooms.id and room_revisions.revision = rooms.revision`,
  )
}

describe('revisions', () => {
  test('are listed to the end, the latest first, with who made them', async () => {
    const parent = await roomOf('listed', [], [ECHO], [limited(1)], [limited(2)], [limited(3)])
    const found: RoomRevision[] = []
    let pageToken = ''
    do {
      const page = await rooms.listRoomRevisions({ parent, pageSize: 2, pageToken })
      expect(page.revisions.length).toBeLessThanOrEqual(2)
      found.push(...page.revisions)
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    expect(found.map(({ revision, author }) => `${revision} ${author}`)).toEqual([
      '5 operator, by UpdateRoom',
      '4 operator, by UpdateRoom',
      '3 operator, by UpdateRoom',
      '2 operator, by UpdateRoom',
      '1 operator, by CreateRoom',
    ])
    expect(found.map(({ config, unreadable }) => config ?? unreadable)).toEqual(
      found.map(() => false),
    )
    const [latest] = found
    expect(latest?.name).toBe(`${parent}/revisions/5`)
    const shown = await rooms.getRoomRevision({ name: latest!.name })
    expect(shown).toEqual({ ...latest, config: configOf(limited(3)) })
    const { nextPageToken } = await rooms.listRoomRevisions({ parent, pageSize: 2 })
    const other = rooms.listRooms({ parent: 'accounts/acme', pageToken: nextPageToken })
    expect((await failure(other)).code).toBe('PAGE_TOKEN_INVALID')
  })

  test('that are not there are not known', async () => {
    const name = await roomOf('short')
    for (const revision of ['0', '2', '-1', '1e3', '999999999', '99999999999']) {
      const call = rooms.getRoomRevision({ name: `${name}/revisions/${revision}` })
      expect(['RESOURCE_UNKNOWN', 'ADDRESS_INVALID']).toContain((await failure(call)).code)
    }
    for (const call of [
      () => rooms.diffRoomRevisions({ name, fromRevision: 2 }),
      () => rooms.diffRoomRevisions({ name, toRevision: 7 }),
      () => rooms.rollbackRoom({ name, revision: 2 }),
    ]) {
      expect((await failure(call())).code).toBe('RESOURCE_UNKNOWN')
    }
    const { problem } = await failure(rooms.rollbackRoom({ name }))
    expect(problem?.violations).toMatchObject([{ field: 'revision' }])
  })
})

describe('a diff', () => {
  test('tells the last change, block by block and as text', async () => {
    const name = await roomOf('changed', [ECHO, limited(1)], [limited(2), { presence: {} }])
    const diff = await rooms.diffRoomRevisions({ name })
    expect(diff).toMatchObject({ fromRevision: 1, toRevision: 2 })
    const [echo, limits, presence] = diff.blocks
    expect(diff.blocks.map(({ kind }) => kind)).toEqual(['echo', 'limits', 'presence'])
    expect([echo?.before, echo?.after]).toEqual([configOf(ECHO).blocks[0], undefined])
    expect([limits?.before, limits?.after]).toEqual(configOf(limited(1), limited(2)).blocks)
    expect([presence?.before, presence?.after]).toEqual([
      undefined,
      configOf({ presence: {} }).blocks[0],
    ])
    expect(diff.text).toContain(`--- ${name}/revisions/1\n+++ ${name}/revisions/2\n@@ `)
    expect(diff.text).toMatch(/^-\s+"sockets": 1$/m)
    expect(diff.text).toMatch(/^\+\s+"sockets": 2$/m)
  })

  test('is of any two, either way, and of what is the same nothing', async () => {
    const name = await roomOf('any', [ECHO], [limited(1)], [ECHO])
    const same = await rooms.diffRoomRevisions({ name, fromRevision: 1, toRevision: 3 })
    expect(same).toMatchObject({ blocks: [], text: '' })
    const back = await rooms.diffRoomRevisions({ name, fromRevision: 2, toRevision: 1 })
    expect(back.blocks.map(({ kind }) => kind)).toEqual(['echo', 'limits'])
    const first = await rooms.diffRoomRevisions({ name, toRevision: 1 })
    expect(first).toMatchObject({ fromRevision: 0, toRevision: 1, blocks: [{ kind: 'echo' }] })
  })

  test('shows secrets to those alone who ask and may', async () => {
    const other = structuredClone(WEBHOOK)
    other.access.flow.lock.options.secret = `whsec_${'b3RoZXIh'.repeat(5)}`
    const name = await roomOf('secretive', [WEBHOOK], [other])
    const masked = await rooms.diffRoomRevisions({ name })
    expect(masked).toMatchObject({ blocks: [{ kind: 'access' }], text: '' })
    expect(masked.blocks[0]?.before).toEqual(masked.blocks[0]?.after)
    const { text } = await rooms.diffRoomRevisions({ name, revealSecrets: true })
    expect(text).toContain(other.access.flow.lock.options.secret)
  })
})

describe('a rollback', () => {
  test('makes an earlier config the next revision, and is written down', async () => {
    const name = await roomOf('back', [ECHO], [limited(1)])
    const room = await rooms.rollbackRoom({ name, revision: 1 })
    expect(room).toMatchObject({ revision: 3, config: configOf(ECHO) })
    const { author } = await rooms.getRoomRevision({ name: `${name}/revisions/3` })
    expect(author).toBe('operator, by RollbackRoom to 1')
    const bare = await rooms.rollbackRoom({ name, revision: 0, etag: room.etag })
    expect(bare).toMatchObject({ revision: 4, config: configOf() })
    const log = adminClient(AuditService, gateway, await gateway.operatorKey())
    const { entries } = await log.listAuditEntries({ parent: 'accounts/acme', resource: name })
    expect(entries[0]?.method).toBe('RoomService/RollbackRoom')
  })

  test('to what cannot be used any more is refused, by path', async () => {
    const name = await roomOf('gone', [])
    await gateway.store.rooms.configure(
      'acme',
      'gone',
      configOf({ access: { locks: ['magic'] } }),
      'test',
    )
    await rooms.updateRoom({ room: { name, config: configOf() } })
    const { code, problem } = await failure(rooms.rollbackRoom({ name, revision: 2 }))
    expect(code).toBe('ARGUMENT_INVALID')
    expect(problem?.violations).toMatchObject([{ field: 'revision.blocks[0].access.locks[0]' }])
  })
})

test('a config of a later version is told as such, and the room got out of it', async () => {
  const name = await roomOf('later', [ECHO], [limited(1)])
  await makeLater('later')
  const room = await rooms.getRoom({ name })
  expect(room).toMatchObject({ revision: 2, unreadable: true })
  expect(room.config).toBeUndefined()
  const { revisions } = await rooms.listRoomRevisions({ parent: name })
  expect(revisions.map(({ unreadable }) => unreadable)).toEqual([true, false])
  expect(await rooms.getRoomRevision({ name: `${name}/revisions/2` })).toEqual(revisions[0])
  for (const call of [
    () => rooms.diffRoomRevisions({ name }),
    () => rooms.diffRoomRevisions({ name, fromRevision: 2, toRevision: 1 }),
    () => rooms.rollbackRoom({ name, revision: 2 }),
    () => rooms.checkMessage({ room: name }),
    () => rooms.updateRoom({ room: { name }, updateMask: { paths: ['config.blocks.echo'] } }),
  ]) {
    const { code, message } = await failure(call())
    expect(code).toBe('STATE_UNSUITABLE')
    expect(message).toContain('later version')
  }
  expect(await rooms.rollbackRoom({ name, revision: 1 })).toMatchObject({ revision: 3 })
  await makeLater('later')
  const config = configOf(limited(2))
  expect(await rooms.updateRoom({ room: { name, config } })).toMatchObject({ revision: 4, config })
})
