/**
 * The store on a PostgreSQL server that somebody else runs: Debian's 15, over TCP, with a password.
 */
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import {
  type AddressInfo,
  connect,
  createServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { create } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../gateway/store/postgres/open.ts'
import type { Store } from '../../gateway/store/store.ts'
import { kill, newFolder, silent } from './process.ts'
import { type Server, storeSuite } from './suite.ts'

const BINARIES = '/usr/lib/postgresql/15/bin'

class DebianServer implements Server {
  readonly options
  readonly #folder: string
  readonly port: number
  readonly #user: SpawnOptions
  #process!: ChildProcess

  private constructor(folder: string, port: number, password: string, user: SpawnOptions) {
    this.#folder = folder
    this.port = port
    this.#user = user
    const url = `postgres://owner:${password}@127.0.0.1:${port}/postgres`
    this.options = { url, dataDir: '/nowhere', log: silent }
  }

  static async start(): Promise<DebianServer> {
    if (!existsSync(BINARIES)) throw new Error('apt-get install -y postgresql-15')
    const folder = newFolder()
    const password = randomBytes(8).toString('hex')
    const passwordFile = join(folder, 'password')
    writeFileSync(passwordFile, `${password}\n`)
    const user = userOfServer()
    for (const path of [folder, passwordFile]) {
      if (user.uid !== undefined) chownSync(path, user.uid, user.gid!)
    }
    const options = ['-U', 'owner', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '--no-sync']
    execFileSync(`${BINARIES}/initdb`, ['-D', `${folder}/data`, ...options], {
      ...user,
      stdio: 'ignore',
    })
    const server = new DebianServer(folder, await freePort(), password, user)
    await server.run()
    return server
  }

  async run(): Promise<void> {
    const settings = ['-p', String(this.port), '-h', '127.0.0.1', '-k', this.#folder]
    this.#process = spawn(
      `${BINARIES}/postgres`,
      ['-D', `${this.#folder}/data`, ...settings, '-c', 'lc_messages=C', '-c', 'fsync=off'],
      { ...this.#user, stdio: ['ignore', 'ignore', 'pipe'] },
    )
    const lines = createInterface({ input: this.#process.stderr! })
    for await (const line of lines) {
      if (line.endsWith('ready to accept connections')) break
    }
    this.#process.stderr!.resume()
  }

  async crash(): Promise<void> {
    // The signal of an immediate shutdown: sessions end in the midst of what they do.
    await kill(this.#process, 'SIGQUIT')
    await this.run()
  }

  async stop(): Promise<void> {
    await kill(this.#process, 'SIGINT')
    rmSync(this.#folder, { recursive: true })
  }
}

describe('on a server', () => {
  storeSuite(() => DebianServer.start())
})

describe('on a server in trouble', () => {
  let server: DebianServer
  let store: Store
  beforeAll(async () => {
    server = await DebianServer.start()
    store = await openStore(server.options)
  })
  afterAll(async () => {
    await store.close()
    await server.stop()
  })

  const unavailable = (why: string) => ({
    failure: 'unavailable',
    message: expect.stringContaining(why),
  })

  test('a change keeps the config before it', async () => {
    const { slug: account } = await store.accounts.create({ slug: 'acme' })
    const echo = { blocks: [{ kind: { case: 'echo' as const, value: { enabled: true } } }] }
    const config = create(ConfigSchema, echo)
    const { id } = await store.rooms.create({ account, slug: 'hall', config, author: 'ann' })
    await store.rooms.configure(account, 'hall', create(ConfigSchema), 'bob')
    const sql = postgres(server.options.url, { max: 1 })
    const kept = await sql`
      select revision, config, author from room_revisions where room_id = ${id} order by revision`
    await sql.end()
    expect([...kept]).toEqual([
      { revision: 1, config: { blocks: [{ echo: { enabled: true } }] }, author: 'ann' },
      { revision: 2, config: {}, author: 'bob' },
    ])
  })

  test('a config of a later version is refused, not read in part', async () => {
    const { slug: account } = await store.accounts.create({ slug: 'later' })
    const config = create(ConfigSchema)
    await store.rooms.create({ account, slug: 'hall', config, author: 'ann' })
    const sql = postgres(server.options.url, { max: 1 })
    await sql`update room_revisions set config = '{"blocks": [{"newLock": {}}]}'`
    await sql.end()
    await expect(store.rooms.find(account, 'hall')).rejects.toMatchObject(
      unavailable('not of this version'),
    )
  })

  test('what does not let us in says why', async () => {
    const open = (url: string) => openStore({ ...server.options, url })
    const { url } = server.options
    await expect(open(url.replace(/:\w+@/, ':wrong@'))).rejects.toMatchObject(
      unavailable('password authentication failed'),
    )
    await expect(open(`${url}-none`)).rejects.toMatchObject(unavailable('does not exist'))
    const nowhere = `postgres://127.0.0.1:${await freePort()}/none`
    await expect(open(nowhere)).rejects.toMatchObject(unavailable('ECONNREFUSED'))
  })

  test('what is busy or silent is given up, and found again', async () => {
    const wire = await Wire.to(server.port)
    const far = await openStore({ ...server.options, url: wire.through(server.options.url) })
    await far.ping()
    const sql = postgres(server.options.url, { max: 1 })
    const busy = await sql.reserve()
    await busy`begin`
    await busy`lock table accounts`
    const stuck = expect(store.accounts.list()).rejects.toMatchObject(
      unavailable('statement timeout'),
    )
    wire.freeze()
    await expect(far.ping()).rejects.toMatchObject(unavailable('no answer within 5 s'))
    await stuck
    await sql.end({ timeout: 0 })
    wire.thaw()
    await far.ping()
    await store.accounts.list()
    await far.close()
    wire.close()
  })
})

/** A connection to a server that can go silent without ending. */
class Wire {
  readonly #listener: TcpServer
  readonly #pairs: [Socket, Socket][] = []

  private constructor(port: number) {
    this.#listener = createServer((near) => {
      const far = connect(port, '127.0.0.1')
      near.pipe(far).pipe(near)
      this.#pairs.push([near, far])
    })
  }

  static async to(port: number): Promise<Wire> {
    const wire = new Wire(port)
    await once(wire.#listener.listen(0, '127.0.0.1'), 'listening')
    return wire
  }

  through(url: string): string {
    return url.replace(/:\d+\//, `:${(this.#listener.address() as AddressInfo).port}/`)
  }

  freeze(): void {
    for (const [near, far] of this.#pairs) near.unpipe(far)
  }

  thaw(): void {
    for (const [near, far] of this.#pairs) near.pipe(far)
  }

  close(): void {
    this.#listener.close()
    for (const socket of this.#pairs.flat()) socket.destroy()
  }
}

/** PostgreSQL refuses root; Debian's package brings a user. */
function userOfServer(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const id = (which: string) =>
    Number(execFileSync('id', [which, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
