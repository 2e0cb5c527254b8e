/**
 * Live effect (R51), whole: what the command line changes, in a process of its own, is felt within
 * a second by real sockets of two gateways on the same database.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { schema } from '../../gateway/config/config.ts'
import { createGateway, type Gateway } from '../../gateway/gateway.ts'
import { newConnectionKey, SALT_BYTES } from '../../gateway/identity/connection-keys.ts'
import { readPublicKeyLine } from '../../gateway/identity/ssh-public-key.ts'
import { newToken } from '../../gateway/identity/tokens.ts'
import { connect } from '../../gateway/store/postgres/database.ts'
import { openFolders } from '../../gateway/store/postgres/embedded/folders.ts'
import { openStore } from '../../gateway/store/postgres/open.ts'
import type { Store } from '../../gateway/store/store.ts'
import { DataFolder, json, porthouse } from '../cli/process.ts'
import { answer, join, text } from '../support/client-frames.ts'
import { felt } from '../support/felt.ts'
import { brief } from '../support/heard.ts'
import { dropped } from '../support/outcome.ts'
import { answerTo, proveKey, provePassword, proveSshKey } from '../support/proving.ts'
import { RawWebSocket, resetRawWebSockets } from '../support/raw-websocket.ts'
import { ed25519 } from '../support/sshsig.ts'

const log = pino({ level: 'silent' })

let data: DataFolder
let other: Store
let gateways: Gateway[]

beforeAll(async () => {
  data = await DataFolder.open()
  other = await openStore({ dataDir: data.path, log })
  const listen = '127.0.0.1:0'
  const config = schema.parse({ data: data.path, http: { listen }, mqtt: { listen }, drainMs: 500 })
  const on = (store: Store) => createGateway({ config, store, log })
  gateways = await Promise.all([on(data.store), on(other)])
})
afterEach(resetRawWebSockets)
afterAll(async () => {
  for (const gateway of gateways) await gateway.drain()
  await other.close()
  await data.close()
})

interface Token {
  readonly id: string
  readonly secret: string
}

let accounts = 0

/** An account of the test's own, with a room `boiler` behind a lock. */
async function account(lock = 'token'): Promise<string> {
  const slug = `acme-${++accounts}`
  await data.store.accounts.create({ slug })
  await room(`${slug}/boiler`, lock)
  return slug
}

async function room(address: string, ...locks: string[]): Promise<void> {
  const [account = '', slug = ''] = address.split('/')
  const kind = { case: 'access', value: { locks } } as const
  const config = create(ConfigSchema, { blocks: [{ kind }] })
  await data.store.rooms.create({ account, slug, config, author: 'test' })
}

type Terms = Partial<Parameters<Store['tokens']['create']>[0]>

/** With all rights in the boiler, unless the terms say else. */
async function token(account: string, terms: Terms = {}): Promise<Token> {
  const { hash, ...made } = newToken(randomUUID(), randomBytes(32))
  const grants = [{ room: 'boiler', send: true, receive: true }]
  await data.store.tokens.create({ id: made.id, hash, account, grants, ...terms })
  return made
}

async function connectionKey(account: string): Promise<Token> {
  const id = randomUUID()
  const { secret, data: kept } = newConnectionKey(id, randomBytes(32), randomBytes(SALT_BYTES))
  await data.store.credentials.add({
    ...{ id, account, label: '', data: kept },
    kind: 'connection-key',
  })
  return { id, secret }
}

/** A change made by the command line. */
function run<T>(...args: string[]): Promise<T> {
  return json<T>(args, { env: data.env })
}

const port = (gateway: Gateway) => gateway.http.port
const url = (gateway: Gateway) => `http://127.0.0.1:${port(gateway)}`

/** One socket at each gateway, that has proved the same. */
function atBoth(prove: (socket: RawWebSocket, gateway: Gateway) => Promise<void>, path = '/v1/ws') {
  return Promise.all(
    gateways.map(async (gateway) => {
      const socket = await RawWebSocket.open(port(gateway), { path })
      await prove(socket, gateway)
      return socket
    }),
  )
}

/** At each gateway one socket that has proved a token and joined a room. */
function members(secret: string, address: string): Promise<RawWebSocket[]> {
  return atBoth(async (socket) => {
    socket.packet(answer(1, secret), join(2, address))
    expect((await socket.frames(2)).map(brief)).toEqual(['1 verdict passed', `2 joined ${address}`])
  })
}

/** All of them are told the same next. */
async function told(sockets: readonly RawWebSocket[], frame: string): Promise<void> {
  const frames = await felt(Promise.all(sockets.map((socket) => socket.frame())))
  expect(frames.map(brief)).toEqual(sockets.map(() => frame))
}

async function revoked(sockets: readonly RawWebSocket[], by = 'REVOKED'): Promise<void> {
  const ends = await felt(Promise.all(sockets.map((socket) => dropped(socket))))
  expect(ends.map(({ code, before }) => [code, ...before.map(brief)])).toEqual(
    sockets.map(() => [by]),
  )
}

describe('a token', () => {
  test('is given a room, loses one, and hears nothing there any more (A5, A9)', async () => {
    const acme = await account()
    await room(`${acme}/attic`, 'token')
    const [boiler, attic] = [`room:${acme}/boiler`, `room:${acme}/attic`]
    const [{ id, secret }, loud] = [await token(acme), await token(acme)]
    const guests = await members(secret, boiler)
    const speakers = await members(loud.secret, boiler)
    await run('token', 'grant', id, '--room', 'attic:receive')
    await told(guests, `0 joined ${attic}`)
    await run('token', 'ungrant', id, 'boiler')
    await told(guests, `0 left ${boiler}`)
    for (const [i, guest] of guests.entries()) {
      speakers[i]!.packet(text(3, 'secret'))
      expect(brief(await speakers[i]!.frame())).toBe('3 receipt VOID 0')
      guest.packet(text(4, 'me too', { to: [boiler] }), text(5, 'hi', { to: [attic] }))
      expect((await guest.frames(2)).map(brief)).toEqual([
        '4 receipt REJECTED ENTRY_NOT_PERMITTED',
        '5 receipt REJECTED SEND_NOT_PERMITTED',
      ])
    }
  })

  test.each(['regenerate', 'delete'])('%s: its sockets are dropped for good (K8)', async (how) => {
    const acme = await account()
    const { id, secret } = await token(acme)
    const sockets = await atBoth(async (socket) => {
      socket.packet(answer(1, secret), join(2, `room:${acme}/boiler`, true))
      await socket.frames(2)
    })
    await run('token', how, id)
    await revoked(sockets)
    const again = await RawWebSocket.open(port(gateways[0]!))
    again.packet(answer(1, secret))
    expect(brief(await again.frame())).toBe('1 verdict failed UNAUTHENTICATED')
  })

  test('whose end is set sooner ends then (K7)', async () => {
    const acme = await account()
    const { id, secret } = await token(acme)
    const sockets = await atBoth(async (socket) => {
      socket.packet(answer(1, secret))
      await socket.frame()
    })
    await inSql((sql) => sql`update tokens set expires_at = now() where id = ${id}`)
    await revoked(sockets, 'TOKEN_EXPIRED')
  })
})

describe('a client', () => {
  test('by an SSH key: its rights, its key, and it', async () => {
    const acme = await account('ssh-key')
    await data.store.clients.create({ account: acme, slug: 'ann', grants: [] })
    const keys = [ed25519(), ed25519()] as const
    for (const { line } of keys) {
      const kept = readPublicKeyLine(line)
      const owner = { account: acme, client: 'ann' }
      await data.store.credentials.add({ id: randomUUID(), kind: 'ssh-key', ...owner, ...kept })
    }
    const by = (key: (typeof keys)[number]) =>
      atBoth((socket, gateway) =>
        proveSshKey(socket, url(gateway), `client:${acme}/ann`, key.privateKey),
      )
    const [first, second] = [await by(keys[0]), await by(keys[1])]
    const all = [...first, ...second]
    await run('client', 'grant', `${acme}/ann`, '--room', 'boiler:send,receive')
    await told(all, `0 joined room:${acme}/boiler`)
    await run('client', 'revoke-room', `${acme}/ann`, 'boiler')
    await told(all, `0 left room:${acme}/boiler`)
    const [oldest] = await data.store.credentials.list(acme, 'ann')
    await run('client', 'key', 'remove', `${acme}/ann`, oldest!.id)
    await revoked(first)
    await run('client', 'delete', `${acme}/ann`)
    await revoked(second)
  })

  test('by a password, and the device by its preset', async () => {
    const acme = await account('preset')
    const make = ['client', 'create', `${acme}/ann`, '--password-stdin', '--json']
    const made = await porthouse(make, { env: data.env, input: 'correct horse battery' })
    expect(made.code).toBe(0)
    const pump = await run<{ id: string; keys: { id: string }[] }>(
      ...['client', 'create', `${acme}/pump`, '--preset', 'who:me', '--room', 'boiler:send'],
    )
    const people = await atBoth((socket) =>
      provePassword(socket, `client:${acme}/ann`, 'correct horse battery'),
    )
    const devices = await atBoth(async (socket) => {
      await socket.frame()
      socket.packet(answerTo(1, 'preset', { case: 'text', value: 'me' }))
      expect((await socket.frames(2)).map(brief)).toEqual([
        '1 verdict passed',
        `0 joined room:${acme}/boiler`,
      ])
    }, `/${acme}/boiler/${pump.id}/`)
    await run('client', 'key', 'remove', `${acme}/pump`, pump.keys[0]!.id)
    await revoked(devices)
    const [password] = await data.store.credentials.list(acme, 'ann')
    await run('client', 'key', 'remove', `${acme}/ann`, password!.id)
    await revoked(people)
  })

  test('by tokens: one socket is left where it may have one', async () => {
    const acme = await account()
    const { secret } = await token(acme, { client: 'ann' })
    const [gateway] = gateways as [Gateway]
    const sockets: RawWebSocket[] = []
    for (let i = 0; i < 3; i++) {
      const socket = await RawWebSocket.open(port(gateway))
      socket.packet(answer(1, secret))
      await socket.frame()
      sockets.push(socket)
    }
    await data.store.clients.change(acme, 'ann', { maxSockets: 1 })
    await revoked(sockets.slice(0, 2), 'REPLACED')
    const newest = sockets[2]!
    newest.packet(text(2, 'here', { to: [`room:${acme}/boiler`] }))
    expect(brief(await newest.frame())).toBe('2 receipt VOID 0')
  })
})

describe('an account', () => {
  test('rotates and revokes its keys', async () => {
    const acme = await account()
    const [first, second] = [await connectionKey(acme), await connectionKey(acme)]
    const by = (key: Token) => atBoth((socket, gateway) => proveKey(socket, url(gateway), key))
    const [rotated, kept] = [await by(first), await by(second)]
    await run('account', 'key', 'rotate', acme, first.id, '--overlap', '0s')
    await revoked(rotated, 'PROOF_EXPIRED')
    await run('account', 'key', 'revoke', acme, second.id)
    await revoked(kept)
  })

  test('goes, and with it all that proved something of it, and its rooms', async () => {
    const acme = await account()
    await room(`${acme}/yard`)
    const key = await connectionKey(acme)
    const { secret } = await token(acme)
    const visitor = await connectionKey(await account())
    const yard = `room:${acme}/yard`
    const own = [
      ...(await atBoth((socket, gateway) => proveKey(socket, url(gateway), key))),
      ...(await atBoth(async (socket) => {
        socket.packet(answer(1, secret))
        await socket.frame()
      })),
    ]
    const visitors = await atBoth(async (socket, gateway) => {
      await proveKey(socket, url(gateway), visitor)
      socket.packet(join(3, yard))
      expect(brief(await socket.frame())).toBe(`3 joined ${yard}`)
    })
    await run('account', 'delete', acme)
    await Promise.all([revoked(own), told(visitors, `0 left ${yard}`)])
  })
})

describe('a room', () => {
  test('gets a lock, is opened, and is deleted', async () => {
    const acme = await account()
    const yard = `room:${acme}/yard`
    await room(`${acme}/yard`)
    const enter = () =>
      atBoth(async (socket) => {
        expect(brief(await socket.frame())).toBe(`0 joined ${yard}`)
      }, `/${acme}/yard`)
    const sockets = await enter()
    await run('room', 'config', 'set', `${acme}/yard`, locked('token'))
    await told(sockets, '0 changed')
    await told(sockets, `0 left ${yard}`)
    await run('room', 'config', 'set', `${acme}/yard`, locked())
    const again = await enter()
    await run('room', 'delete', `${acme}/yard`)
    await told(again, `0 left ${yard}`)
    for (const socket of again) {
      socket.packet(join(1, yard))
      expect(brief(await socket.frame())).toBe('1 challenge token')
    }
  })
})

describe('changes', () => {
  test('made while nobody is heard are read when somebody is heard again', async () => {
    const acme = await account()
    const [gone, kept] = [await token(acme), await token(acme)]
    const room = `room:${acme}/boiler`
    const [dropped, stay] = [await members(gone.secret, room), await members(kept.secret, room)]
    // Those who listen are cut off before it is committed, and come again after it.
    const cuts = await inSql((sql) =>
      sql.begin(async (step) => {
        await step`delete from tokens where id = ${gone.id}`
        await step`delete from token_grants where token_id = ${kept.id}`
        return step`
          select pg_terminate_backend(pid, 1000) from pg_stat_activity
          where application_name = 'porthouse changes'`
      }),
    )
    expect(cuts).toHaveLength(2)
    await Promise.all([revoked(dropped), told(stay, `0 left ${room}`)])
  })

  test('of a thousand tokens in one transaction are felt by each', async () => {
    const acme = await account()
    const room = `room:${acme}/boiler`
    const tokens = [await token(acme), await token(acme)]
    const { id: owner } = (await data.store.accounts.find(acme))!
    await inSql(
      (sql) => sql`
      insert into tokens (id, account_id, hash)
      select gen_random_uuid(), ${owner}, '' from generate_series(1, 1000)`,
    )
    const sockets = await Promise.all(tokens.map(({ secret }) => members(secret, room)))
    await inSql((sql) => sql`delete from tokens where account_id = ${owner}`)
    await revoked(sockets.flat())
  })
})

test('ten of two hundred get in that prove one token in the same instant', async () => {
  const acme = await account()
  const { secret } = await token(acme, { maxConnections: 10 })
  const ear = await token(acme)
  const [gateway] = gateways as [Gateway]
  const open = () => RawWebSocket.open(port(gateway))
  const listener = await open()
  listener.packet(answer(1, ear.secret))
  await listener.frame()
  /** As what a socket says is told to be from. */
  const numberOf = async (socket: RawWebSocket) => {
    socket.packet(text(0, 'me', { to: [`token:${ear.id}/1`], receipt: 0 }))
    const { body } = await listener.frame()
    const from = body.case === 'envelope' ? body.value.stamp?.from : undefined
    return Number(from?.split('/')[1])
  }

  const sockets = await Promise.all(Array.from({ length: 200 }, open))
  for (const socket of sockets) socket.packet(answer(1, secret))
  const verdicts = await Promise.all(sockets.map((socket) => socket.frame()))
  const inside = new Map<number, RawWebSocket>()
  for (const [i, socket] of sockets.entries()) {
    if (brief(verdicts[i]!) === '1 verdict passed') inside.set(await numberOf(socket), socket)
    else expect((await dropped(socket)).code).toBe('SHARE_LIMIT')
  }
  expect([...inside.keys()].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])

  // Who leaves frees his number, and the lowest goes first; no place was lost to who was refused.
  for (const number of [8, 3]) {
    inside.get(number)!.packet({ body: { case: 'drop', value: {} } })
    await inside.get(number)!.ended
  }
  for (const number of [3, 8]) {
    const socket = await open()
    socket.packet(answer(1, secret))
    expect(brief(await socket.frame())).toBe('1 verdict passed')
    expect(await numberOf(socket)).toBe(number)
  }
  const late = await open()
  late.packet(answer(1, secret))
  expect((await dropped(late)).code).toBe('SHARE_LIMIT')
})

/** Of the file with a room's config: all these locks, or none. */
function locked(...locks: string[]): string {
  const file = joinPath(data.path, `locked-${locks.join('-')}.json`)
  writeFileSync(file, JSON.stringify({ blocks: [{ access: { locks } }] }))
  return file
}

async function inSql<T>(change: (sql: ReturnType<typeof connect>) => PromiseLike<T>): Promise<T> {
  const sql = connect({ sockets: openFolders(data.path).sockets }, 1, 0)
  try {
    return await change(sql)
  } finally {
    await sql.end()
  }
}
