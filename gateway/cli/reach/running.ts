/** The gateway that runs on a data folder, as a file of the folder says. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'

interface Administration {
  /** Its origin, as this machine reaches it. */
  readonly url: string
  /** On TLS: the certificate that it has, whatever name that is for. */
  readonly certFile?: string
}

interface Running extends Administration {
  readonly pid: number
  /** Where its store is, unless that is in the folder. */
  readonly database?: string
}

/** The settings that it goes by. */
interface Place {
  readonly data: string
  readonly databaseUrl?: string | undefined
}

const FILE = 'gateway.json'

/** How long a listener of this machine may take to answer, in milliseconds. */
const ANSWER_MS = 1_000

/** Says that this process is the gateway of the folder. Resolves with what takes that back. */
export async function announce(
  place: Place,
  administration: Administration,
): Promise<() => Promise<void>> {
  const { pid } = process
  const database = databaseOf(place)
  const file = join(place.data, FILE)
  const beside = join(place.data, `${FILE}.${randomUUID()}`)
  const text = JSON.stringify({ ...administration, pid, ...(database && { database }) })
  await writeFile(beside, `${text}\n`, { mode: 0o600, flag: 'wx' })
  await rename(beside, file)
  return async () => {
    // Another may have taken its place meanwhile.
    if ((await read(file))?.pid === pid) await rm(file, { force: true })
  }
}

/** Undefined where none runs, or one with another store than these settings have. */
export async function runningOn(place: Place): Promise<Running | undefined> {
  const running = await read(join(place.data, FILE))
  const database = databaseOf(place)
  if (!running || !isAlive(running.pid)) return undefined
  if (database !== undefined && database !== running.database) return undefined
  return (await listensAt(running.url)) ? running : undefined
}

/** Whether anybody takes connections there. */
export async function listensAt(url: string): Promise<boolean> {
  const { protocol, hostname, port } = new URL(url)
  const usual = protocol === 'https:' ? 443 : 80
  const host = hostname.replace(/^\[|\]$/g, '')
  const socket = connect({ host, port: Number(port || usual) })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(ANSWER_MS) })
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Which database it is, without who may use it. */
function databaseOf({ databaseUrl }: Place): string | undefined {
  if (databaseUrl === undefined) return undefined
  const { host, pathname } = new URL(databaseUrl)
  return `${host}${pathname}`
}

async function read(file: string): Promise<Running | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Running
  } catch {
    // None, one of a later version, or of somebody else: as good as none.
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // It is there, and another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
