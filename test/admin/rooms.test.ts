/** Rooms by the admin API: each method, and what each caller may do (R19). */
import { randomUUID } from 'node:crypto'
import { create, type JsonObject, toJsonString } from '@bufbuild/protobuf'
import type { Client } from '@connectrpc/connect'
import { AccountService } from '@porthouse/proto/admin/v1/account_service'
import { AuditEntrySchema, AuditService } from '@porthouse/proto/admin/v1/audit_service'
import { type Room, RoomSchema, RoomService } from '@porthouse/proto/admin/v1/room_service'
import { type Config, ConfigSchema } from '@porthouse/proto/room/v1/config'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminClient, failure } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'
import { configOf, WEBHOOK } from './configs.ts'

let gateway: TestGateway
let rooms: Client<typeof RoomService>

beforeAll(async () => {
  gateway = await TestGateway.start()
  const operator = await gateway.operatorKey()
  rooms = adminClient(RoomService, gateway, operator)
  const accounts = adminClient(AccountService, gateway, operator)
  for (const accountId of ['acme', 'other', 'wide']) await accounts.createAccount({ accountId })
})
afterAll(() => gateway.stop())

const parent = 'accounts/acme'

/** A new room of `acme`. */
function made(roomId: string, ...blocks: JsonObject[]): Promise<Room> {
  return rooms.createRoom({ parent, roomId, room: { config: configOf(...blocks) } })
}

const kindsOf = (config: Config | undefined) => config?.blocks.map(({ kind }) => kind.case)

describe('a room', () => {
  test('is made, shown by slug and by UUID, and deleted', async () => {
    const room = await made('boiler', { echo: { enabled: true } })
    expect(room).toMatchObject({ name: 'accounts/acme/rooms/boiler', revision: 1 })
    expect(room).toMatchObject({ unreadable: false, uid: expect.stringMatching(/^[0-9a-f-]{36}$/) })
    const names = [room.name, `accounts/acme/rooms/${room.uid}`]
    for (const name of names) expect(await rooms.getRoom({ name })).toEqual(room)
    await rooms.deleteRoom({ name: room.name })
    expect((await failure(rooms.getRoom({ name: room.name }))).code).toBe('RESOURCE_UNKNOWN')
    expect((await failure(rooms.deleteRoom({ name: room.name }))).code).toBe('RESOURCE_UNKNOWN')
  })

  test('has a slug of its own, in an account that is there', async () => {
    await made('taken')
    expect((await failure(made('taken'))).code).toBe('RESOURCE_EXISTS')
    const planned = rooms.createRoom({ parent, roomId: 'taken', validateOnly: true })
    expect((await failure(planned)).code).toBe('RESOURCE_EXISTS')
    for (const roomId of ['A', 'a/b', '-', randomUUID()]) {
      expect((await failure(made(roomId))).code).toBe('ADDRESS_INVALID')
    }
    const nowhere = rooms.createRoom({ parent: 'accounts/absent', roomId: 'x' })
    expect((await failure(nowhere)).code).toBe('RESOURCE_UNKNOWN')
  })

  test('is only looked at with validate_only', async () => {
    const planned = await rooms.createRoom({ parent, roomId: 'never', validateOnly: true })
    expect(planned).toMatchObject({ name: 'accounts/acme/rooms/never', revision: 1, uid: '' })
    expect((await failure(rooms.getRoom({ name: planned.name }))).code).toBe('RESOURCE_UNKNOWN')
    const room = await made('still')
    const edited = create(RoomSchema, { ...room, config: configOf({ echo: { enabled: true } }) })
    const update = await rooms.updateRoom({ room: edited, validateOnly: true })
    expect(update).toMatchObject({ revision: 2, config: edited.config })
    await rooms.deleteRoom({ name: room.name, validateOnly: true })
    await rooms.rollbackRoom({ name: room.name, revision: 0, validateOnly: true })
    expect(await rooms.getRoom({ name: room.name })).toEqual(room)
  })

  test('is made, edited and deleted once by one request id', async () => {
    const requestId = randomUUID()
    const given = { parent, roomId: 'once' }
    const room = await rooms.createRoom({ ...given, requestId })
    expect(await rooms.createRoom({ ...given, requestId })).toEqual(room)
    const edit = { room: { name: room.name, config: configOf() }, requestId: randomUUID() }
    const edited = await rooms.updateRoom(edit)
    expect(await rooms.updateRoom(edit)).toEqual(edited)
    expect(edited.revision).toBe(2)
    const deletion = { name: room.name, requestId: randomUUID() }
    await rooms.deleteRoom(deletion)
    await rooms.deleteRoom(deletion)
    const reused = rooms.createRoom({ ...given, roomId: 'twice', requestId })
    expect((await failure(reused)).code).toBe('KEY_REUSED')
  })

  test.each(['rooms/x', 'accounts/acme', 'accounts/acme/rooms/', 'accounts/acme/rooms/a b', ''])(
    'is not named %j',
    async (name) => {
      for (const call of [
        () => rooms.getRoom({ name }),
        () => rooms.deleteRoom({ name }),
        () => rooms.updateRoom({ room: { name, config: configOf() } }),
        () => rooms.rollbackRoom({ name, revision: 1 }),
        () => rooms.listRoomRevisions({ parent: name }),
        () => rooms.diffRoomRevisions({ name }),
        () => rooms.checkMessage({ room: name }),
      ]) {
        const { code } = await failure(call())
        expect(['ARGUMENT_INVALID', 'ADDRESS_INVALID']).toContain(code)
      }
    },
  )
})

describe('rooms', () => {
  test('are listed by slug to the end, page by page, without their configs', async () => {
    const slugs = ['b', 'a', 'c-1', 'c', 'd']
    const wide = 'accounts/wide'
    for (const roomId of slugs) await rooms.createRoom({ parent: wide, roomId })
    const found: Room[] = []
    let pageToken = ''
    do {
      const page = await rooms.listRooms({ parent: wide, pageSize: 2, pageToken })
      expect(page.rooms.length).toBeLessThanOrEqual(2)
      found.push(...page.rooms)
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    const names = slugs.toSorted().map((slug) => `accounts/wide/rooms/${slug}`)
    expect(found.map(({ name }) => name)).toEqual(names)
    expect(found.map(({ config }) => config)).toEqual(names.map(() => undefined))
    const shown = await rooms.getRoom({ name: names[0]! })
    expect({ ...shown, config: undefined }).toEqual({ ...found[0], config: undefined })
    const { nextPageToken } = await rooms.listRooms({ parent: wide, pageSize: 2 })
    const elsewhere = rooms.listRooms({ parent, pageToken: nextPageToken })
    expect((await failure(elsewhere)).code).toBe('PAGE_TOKEN_INVALID')
    const absent = rooms.listRooms({ parent: 'accounts/absent' })
    expect((await failure(absent)).code).toBe('RESOURCE_UNKNOWN')
  })
})

describe('an edit', () => {
  test('of the whole config becomes the next revision', async () => {
    const { name } = await made('whole', { echo: { enabled: true } })
    const config = configOf({ limits: { sockets: 3 } })
    for (const updateMask of [undefined, { paths: ['config'] }]) {
      const room = await rooms.updateRoom({
        room: { name, config },
        ...(updateMask && { updateMask }),
      })
      expect(room.config).toEqual(config)
    }
    expect((await rooms.getRoom({ name })).revision).toBe(3)
    const { problem } = await failure(rooms.updateRoom({ room: { name } }))
    expect(problem?.violations).toMatchObject([{ field: 'room.config' }])
  })

  test('of single blocks leaves the others, and their secrets, as they are', async () => {
    const { name } = await made('blocks', WEBHOOK, { echo: { enabled: true } })
    const config = configOf({ limits: { sockets: 3 } }, { presence: { enabled: true } })
    const edit = (...paths: string[]) =>
      rooms.updateRoom({ room: { name, config }, updateMask: { paths } })
    const limited = await edit('config.blocks.limits')
    expect(kindsOf(limited.config)).toEqual(['access', 'echo', 'limits'])
    const both = await edit('config.blocks.echo', 'config.blocks.slow_consumers')
    expect(kindsOf(both.config)).toEqual(['access', 'limits'])
    const { config: kept } = await rooms.getRoom({ name, revealSecrets: true })
    expect(kept?.blocks[0]).toEqual(configOf(WEBHOOK).blocks[0])
    for (const paths of [
      ['uid'],
      ['config.blocks'],
      ['config.blocks.magic'],
      ['config.blocks.limits.sockets'],
      ['config', 'config.blocks.echo'],
    ]) {
      const { problem } = await failure(edit(...paths))
      expect(problem?.violations).toMatchObject([{ field: 'updateMask' }])
    }
  })

  test('with the etag of another revision is refused, and so is a deletion', async () => {
    const room = await made('tagged')
    const edited = await rooms.updateRoom({ room: { ...room, config: configOf() } })
    expect(edited.etag).not.toBe(room.etag)
    const { name, etag } = room
    for (const call of [
      () => rooms.updateRoom({ room: { name, etag, config: configOf() } }),
      () => rooms.rollbackRoom({ name, etag, revision: 1 }),
      () => rooms.deleteRoom({ name, etag }),
      () => rooms.deleteRoom({ name, etag, validateOnly: true }),
    ]) {
      expect((await failure(call())).code).toBe('ETAG_STALE')
    }
    await rooms.deleteRoom({ name, etag: edited.etag })
    const again = await made('tagged')
    // Of another room of that name, though its revision is the same.
    expect((await failure(rooms.deleteRoom({ name, etag }))).code).toBe('ETAG_STALE')
    await rooms.deleteRoom({ name, etag: again.etag })
  })

  test('is one of several at once that have the same etag', async () => {
    const { name, etag } = await made('contended')
    const edits = Array.from({ length: 6 }, (_, i) =>
      i % 2 === 0
        ? rooms.updateRoom({ room: { name, etag, config: configOf() } })
        : rooms.rollbackRoom({ name, etag, revision: 1 }),
    )
    const outcomes = await Promise.allSettled(edits)
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const lost = outcomes.flatMap((each, i) => (each.status === 'rejected' ? [edits[i]!] : []))
    for (const edit of lost) expect((await failure(edit)).code).toBe('ETAG_STALE')
    expect((await rooms.getRoom({ name })).revision).toBe(2)
  })

  test('of one block, without an etag, undoes no other edit of that moment', async () => {
    const { name } = await made('shared')
    const config = configOf(
      { limits: { sockets: 3 } },
      { echo: { enabled: true } },
      { presence: { enabled: true } },
      { technical: { sockets: 7 } },
    )
    await Promise.all(
      ['limits', 'echo', 'presence', 'technical'].map((kind) =>
        rooms.updateRoom({
          room: { name, config },
          updateMask: { paths: [`config.blocks.${kind}`] },
        }),
      ),
    )
    const after = await rooms.getRoom({ name })
    expect(kindsOf(after.config)?.toSorted()).toEqual(['echo', 'limits', 'presence', 'technical'])
    expect(after.revision).toBe(5)
  })

  test('that cannot be used is told every fault, by path, and changes nothing', async () => {
    const flow = { any: { flows: [{ lock: { acceptor: 'tokn' } }, { all: {} }] } }
    const config = configOf({ echo: {} }, { access: { flow } }, { limits: { socketRate: {} } })
    const fields = [
      'room.config.blocks[1].access.flow.any.flows[0].lock.acceptor',
      'room.config.blocks[1].access.flow.any.flows[1].all',
      'room.config.blocks[2].limits.socketRate.perSecond',
    ]
    const refused = await failure(rooms.createRoom({ parent, roomId: 'faulty', room: { config } }))
    expect(refused.code).toBe('ARGUMENT_INVALID')
    expect(refused.problem?.violations.map(({ field }) => field)).toEqual(fields)
    const room = await made('sound')
    const { name } = room
    const whole = await failure(rooms.updateRoom({ room: { name, config } }))
    expect(whole.problem?.violations).toEqual(refused.problem?.violations)
    const updateMask = { paths: ['config.blocks.limits'] }
    const part = await failure(rooms.updateRoom({ room: { name, config }, updateMask }))
    expect(part.problem?.violations).toMatchObject([
      { field: 'room.config.blocks.limits.socketRate.perSecond' },
    ])
    expect(await rooms.getRoom({ name })).toEqual(room)
  })
})

describe('secrets', () => {
  const { secret } = WEBHOOK.access.flow.lock.options

  test('are masked, unless the operator or an owner asks, which is written down', async () => {
    const room = await made('secretive', WEBHOOK)
    const { name } = room
    const shown = [
      room,
      await rooms.getRoom({ name }),
      await rooms.updateRoom({
        room: {
          name,
          config: configOf(WEBHOOK),
        },
      }),
    ]
    for (const each of shown) {
      expect(JSON.stringify(each.config)).toContain('***')
      expect(JSON.stringify(each.config)).not.toContain(secret)
    }
    const owner = adminClient(RoomService, gateway, await gateway.apiKey('owner', 'acme'))
    const { config } = await owner.getRoom({ name, revealSecrets: true })
    expect(config).toEqual(configOf(WEBHOOK))
    for (const role of ['admin', 'auditor'] as const) {
      const other = adminClient(RoomService, gateway, await gateway.apiKey(role, 'acme'))
      for (const call of [
        () => other.getRoom({ name, revealSecrets: true }),
        () => other.getRoomRevision({ name: `${name}/revisions/1`, revealSecrets: true }),
        () => other.diffRoomRevisions({ name, revealSecrets: true }),
      ]) {
        expect((await failure(call())).code).toBe('ROLE_NOT_PERMITTED')
      }
    }
    const log = adminClient(AuditService, gateway, await gateway.operatorKey())
    const { entries } = await log.listAuditEntries({ parent, resource: name, pageSize: 50 })
    const told = entries.map(({ method, role }) => `${method} ${role}`).toReversed()
    expect(told.slice(0, 3)).toEqual([
      'RoomService/CreateRoom operator',
      'RoomService/UpdateRoom operator',
      'RoomService/GetRoom owner',
    ])
    for (const entry of entries) {
      expect(toJsonString(AuditEntrySchema, entry)).not.toContain(secret)
    }
  })

  test('that were masked are not taken for secrets', async () => {
    const { name } = await made('masked', WEBHOOK)
    const { config } = await rooms.getRoom({ name })
    const path = 'access.flow.lock.options.secret'
    const whole = await failure(rooms.updateRoom({ room: { name, config: config! } }))
    expect(whole.problem?.violations.map(({ field }) => field)).toEqual([
      `room.config.blocks[0].${path}`,
    ])
    const updateMask = { paths: ['config.blocks.access'] }
    const part = await failure(rooms.updateRoom({ room: { name, config: config! }, updateMask }))
    expect(part.problem?.violations.map(({ field }) => field)).toEqual([
      `room.config.blocks.${path}`,
    ])
    expect(part.problem?.violations[0]?.description).toContain('reveal_secrets')
  })
})

describe('callers', () => {
  /** Every method, with a room or account that is there. */
  const calls = (client: Client<typeof RoomService>, account: string, slug: string) => {
    const owner = `accounts/${account}`
    const name = `${owner}/rooms/${slug}`
    return {
      listRooms: () => client.listRooms({ parent: owner }),
      getRoom: () => client.getRoom({ name }),
      listRoomRevisions: () => client.listRoomRevisions({ parent: name }),
      getRoomRevision: () => client.getRoomRevision({ name: `${name}/revisions/1` }),
      diffRoomRevisions: () => client.diffRoomRevisions({ name }),
      checkRoomConfig: () =>
        client.checkRoomConfig({ parent: owner, config: create(ConfigSchema) }),
      checkMessage: () => client.checkMessage({ room: name }),
      updateRoom: () => client.updateRoom({ room: { name, config: configOf() } }),
      rollbackRoom: () => client.rollbackRoom({ name, revision: 1 }),
      createRoom: () => client.createRoom({ parent: owner, roomId: 'new', validateOnly: true }),
      deleteRoom: () => client.deleteRoom({ name, validateOnly: true }),
    }
  }

  test('do what their role permits, and no more', async () => {
    await made('ours')
    const changes = ['updateRoom', 'rollbackRoom', 'createRoom', 'deleteRoom']
    for (const role of ['owner', 'admin', 'auditor'] as const) {
      const client = adminClient(RoomService, gateway, await gateway.apiKey(role, 'acme'))
      for (const [method, call] of Object.entries(calls(client, 'acme', 'ours'))) {
        if (role === 'auditor' && changes.includes(method)) {
          expect((await failure(call())).code).toBe('ROLE_NOT_PERMITTED')
        } else await call()
      }
    }
    const nobody = adminClient(RoomService, gateway, undefined)
    for (const call of Object.values(calls(nobody, 'acme', 'ours'))) {
      expect((await failure(call())).code).toBe('UNAUTHENTICATED')
    }
  })

  test('cannot tell a room of another account from one that is not there (A15)', async () => {
    await rooms.createRoom({ parent: 'accounts/other', roomId: 'theirs' })
    const owner = adminClient(RoomService, gateway, await gateway.apiKey('owner', 'acme'))
    const foreign = Object.values(calls(owner, 'other', 'theirs'))
    const absent = Object.values(calls(owner, 'absent', 'theirs'))
    for (const [i, call] of foreign.entries()) {
      const [there, none] = [await failure(call()), await failure(absent[i]!())]
      expect(there.code).toBe('RESOURCE_UNKNOWN')
      expect(there).toEqual({ ...none, message: none.message.replace('absent', 'other') })
    }
  })
})
