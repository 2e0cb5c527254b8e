/** As whom PostgreSQL's programs run: they refuse root. */
import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

export type Identity =
  | { readonly kind: 'own' }
  /** In a user namespace, where root's uid outside is `uid` inside: files stay root's. */
  | { readonly kind: 'namespace'; readonly uid: number }
  | UserIdentity

export interface UserIdentity {
  readonly kind: 'user'
  readonly uid: number
  readonly gid: number
}

interface Login {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** uid that stands for "not mapped" in a namespace. */
const OVERFLOW_UID = 65534

/** Starts a program. Its folder is /, which everybody can enter. */
export function spawnAs(
  identity: Identity,
  file: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const rooted = { ...options, cwd: '/' }
  switch (identity.kind) {
    case 'own':
      return spawn(file, args, rooted)
    case 'namespace':
      return spawn('unshare', [...mapping(identity.uid), file, ...args], rooted)
    case 'user':
      return spawn(file, args, { ...rooted, uid: identity.uid, gid: identity.gid })
  }
}

/**
 * A namespace in which that program runs and that folder can be written; undefined where one is
 * refused.
 */
export async function tryNamespace(program: string, folder: string): Promise<Identity | undefined> {
  // initdb asks for the name of its uid, so it must be one that the machine knows.
  const login = (await logins()).find(({ uid }) => uid > 0 && uid !== OVERFLOW_UID)
  if (!login) return undefined
  const probe = ['sh', '-c', 'test -w "$1" && exec "$2" --version', 'sh', folder, program]
  try {
    await run('unshare', [...mapping(login.uid), ...probe], { cwd: '/' })
    return { kind: 'namespace', uid: login.uid }
  } catch {
    return undefined
  }
}

/** Whom a service of this kind may run as, best first: one of its own, else the least of all. */
export async function serviceUser(): Promise<UserIdentity> {
  const known = await logins()
  for (const name of ['porthouse', 'postgres', 'nobody']) {
    const login = known.find((login) => login.name === name && login.uid > 0)
    if (login) return { kind: 'user', uid: login.uid, gid: login.gid }
  }
  throw new Error('PostgreSQL refuses root, and there is no user porthouse, postgres or nobody')
}

function mapping(uid: number): string[] {
  return ['--user', `--map-user=${uid}`, `--map-group=${uid}`]
}

async function logins(): Promise<Login[]> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n')
  return lines.map((line) => {
    const [name = '', , uid, gid] = line.split(':')
    return { name, uid: Number(uid), gid: Number(gid) }
  })
}
