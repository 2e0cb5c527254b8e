/** The graph socket, client, room, group by the admin API, walked from any end (R28). */
import type { Client } from '@connectrpc/connect'
import { GraphService } from '@porthouse/proto/admin/v1/graph_service'
import { SocketService } from '@porthouse/proto/admin/v1/socket_service'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminClient, failure } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'
import { type Inside, inside } from '../support/inside.ts'
import { OPEN } from '../support/memory-store.ts'

const ACME = 'accounts/acme'
const BOILER = `${ACME}/rooms/boiler`
const ATTIC = `${ACME}/rooms/attic`
const PUMP = `${ACME}/clients/pump`

let gateway: TestGateway
let operator: Client<typeof GraphService>
let owner: Client<typeof GraphService>
/** One client by two sockets, and a token's two connections. */
let first: Inside
let second: Inside
let shared: Inside[]
let token: string

beforeAll(async () => {
  gateway = await TestGateway.start()
  const groups = { groups: [{ name: 'debug', open: true, clients: ['pump'] }, { name: 'void' }] }
  await gateway.room('acme/boiler', [{ case: 'groups', value: groups } as never])
  await gateway.room('acme/attic')
  await gateway.room('other/room', [OPEN])
  await gateway.store.clients.create({ account: 'acme', slug: 'pump', grants: [] })
  await gateway.store.clients.create({ account: 'acme', slug: 'idle', grants: [] })
  operator = adminClient(GraphService, gateway, await gateway.operatorKey())
  owner = adminClient(GraphService, gateway, await gateway.apiKey('owner', 'acme'))
  const pump = await gateway.token('acme', ['boiler', 'attic'], { client: 'pump' })
  first = await inside(gateway, pump, 'acme/boiler', 'acme/attic', 'other/room')
  second = await inside(gateway, pump, 'acme/boiler')
  const secret = await gateway.token('acme', ['attic'], { maxConnections: 2, send: false })
  shared = [
    await inside(gateway, secret, 'acme/attic'),
    await inside(gateway, secret, 'acme/attic'),
  ]
  const sockets = adminClient(SocketService, gateway, await gateway.apiKey('auditor', 'acme'))
  const { identities } = await sockets.getSocket({ name: shared[0]!.name })
  token = identities[0]!.token
})
afterAll(() => gateway.stop())

const sorted = (...all: Inside[]) => all.map(({ name }) => name).sort()

describe('the graph', () => {
  test('leads from a client to its sockets and rooms', async () => {
    const { sockets } = await owner.listClientSockets({ parent: PUMP })
    expect(sockets.map(({ socket }) => socket)).toEqual(sorted(first, second))
    const { rooms } = await owner.listClientRooms({ parent: PUMP })
    expect(rooms).toMatchObject([
      { room: ATTIC, sockets: 1, maySend: true, listening: true, groups: [] },
      { room: BOILER, sockets: 2, maySend: true, listening: true, groups: ['debug'] },
    ])
    const all = await operator.listClientRooms({ parent: PUMP })
    expect(all.rooms.map(({ room }) => room)).toEqual([ATTIC, BOILER, 'accounts/other/rooms/room'])
    expect((await owner.listClientSockets({ parent: `${ACME}/clients/idle` })).sockets).toEqual([])
  })

  test('leads from a token to its connections', async () => {
    const { sockets } = await owner.listTokenSockets({ parent: token })
    expect(sockets.map(({ socket }) => socket)).toEqual(sorted(...shared))
  })

  test('leads from a socket to its clients and rooms', async () => {
    const { clients } = await owner.listSocketClients({ parent: first.name })
    expect(clients).toMatchObject([
      { address: 'client:acme/pump', client: PUMP, sockets: 1 },
      { address: expect.stringMatching(/^token:.*\/1$/), client: '', sockets: 1 },
    ])
    const { rooms } = await owner.listSocketRooms({ parent: first.name })
    expect(rooms.map(({ room }) => room)).toEqual([ATTIC, BOILER])
  })

  test('leads from a room to its sockets, clients and groups', async () => {
    const { sockets } = await owner.listRoomSockets({ parent: BOILER })
    expect(sockets).toMatchObject(
      sorted(first, second).map((socket) => ({ socket, member: 'client:acme/pump' })),
    )
    const { clients } = await owner.listRoomClients({ parent: ATTIC })
    expect(clients.map(({ address }) => address.split(/[:/]/)[0])).toEqual([
      'client',
      'token',
      'token',
      'token',
    ])
    const { groups } = await owner.listRoomGroups({ parent: BOILER })
    expect(groups).toMatchObject([
      { group: `${BOILER}/groups/debug`, open: true, inTurn: false, sockets: 2 },
      { group: `${BOILER}/groups/void`, open: false, sockets: 0 },
    ])
  })

  test('leads from a group to its members', async () => {
    const { members } = await owner.listGroupMembers({ parent: `${BOILER}/groups/debug` })
    expect(members[0]).toMatchObject({ client: PUMP, sockets: 2 })
  })

  test('is paged, each edge once', async () => {
    const found: string[] = []
    let pageToken = ''
    do {
      const page = await owner.listRoomClients({ parent: ATTIC, pageSize: 1, pageToken })
      found.push(...page.clients.map(({ address }) => address))
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    const whole = (await owner.listRoomClients({ parent: ATTIC })).clients
    expect(found).toEqual(whole.map(({ address }) => address))
  })
})

describe('what is not there, or is another account’s,', () => {
  const none = 'accounts/acme/rooms/none'
  test.each([
    ['listClientSockets', `${ACME}/clients/none`, 'accounts/other/clients/pump'],
    ['listClientRooms', `${ACME}/clients/none`, 'accounts/other/clients/pump'],
    ['listTokenSockets', `${ACME}/tokens/${crypto.randomUUID()}`, undefined],
    ['listSocketClients', 'sockets/none', undefined],
    ['listSocketRooms', 'sockets/none', undefined],
    ['listRoomSockets', none, 'accounts/other/rooms/room'],
    ['listRoomClients', none, 'accounts/other/rooms/room'],
    ['listRoomGroups', none, 'accounts/other/rooms/room'],
    ['listGroupMembers', `${BOILER}/groups/none`, 'accounts/other/rooms/room/groups/debug'],
  ] as const)('is told alike by %s (A15)', async (method, absent, foreign) => {
    for (const parent of [absent, foreign ?? absent]) {
      const { code, message } = await failure(owner[method]({ parent }))
      expect([code, message]).toEqual(['RESOURCE_UNKNOWN', `there is no ${parent}`])
    }
    expect((await failure(owner[method]({ parent: 'x' }))).code).toBe('ARGUMENT_INVALID')
  })
})
