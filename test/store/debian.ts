/** A PostgreSQL server that somebody else runs: Debian's 15, over TCP, with a password. */
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import postgres from 'postgres'
import type { Server } from './fixture.ts'
import { kill, newFolder, silent } from './process.ts'

const BINARIES = '/usr/lib/postgresql/15/bin'

export class DebianServer implements Server {
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
    await this.fall()
    await this.run()
  }

  /** By the signal of an immediate shutdown: sessions end in the midst of what they do. */
  async fall(): Promise<void> {
    await kill(this.#process, 'SIGQUIT')
  }

  sql(): postgres.Sql {
    return postgres(this.options.url, { max: 1, onnotice: () => {} })
  }

  async stop(): Promise<void> {
    await kill(this.#process, 'SIGINT')
    rmSync(this.#folder, { recursive: true })
  }
}

/** PostgreSQL refuses root; Debian's package brings a user. */
function userOfServer(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const id = (which: string) =>
    Number(execFileSync('id', [which, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
