import { createHash } from 'node:crypto'
import type { Answerer } from '../answerer.ts'
import { sshKey } from '../answerers/ssh-key.ts'
import { PorthouseError } from '../error.ts'
import { type Identity, identitiesOf, signBy } from './agent-protocol.ts'
import { sshsig } from './sshsig.ts'

export interface SshAgentOptions {
  /** Who logs in: `ACCOUNT/CLIENT`, with or without its `client:`. */
  readonly client: string
  /** Where the agent listens. Default: SSH_AUTH_SOCK. */
  readonly socket?: string | undefined
  /**
   * Which of its keys: a fingerprint `SHA256:…`, a line of a .pub file, or the comment. Default:
   * all that may do, one after the other, while the lock has tries left.
   */
  readonly key?: string | undefined
}

/** Keys that are tried, where none is named. */
const TRIES_MAX = 6

const TAKEN = /^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa)$/

/** Proves a client by a key of an SSH agent, which never hands it out. */
export function sshAgent({ client, socket, key }: SshAgentOptions): Answerer {
  let listing: Promise<Identity[]> | undefined
  return sshKey({
    client,
    tries: key === undefined ? TRIES_MAX : 1,
    async sign(message, { attempt, signal }) {
      // biome-ignore lint/style/noProcessEnv: by convention an agent is found in no other way
      const path = socket ?? process.env.SSH_AUTH_SOCK
      if (!path) throw refused('no SSH agent: SSH_AUTH_SOCK is not set')
      // The same list in each attempt, so that each key has its turn.
      if (attempt === 1) listing = undefined
      listing ??= identitiesOf(path)
      const identities = (await listing).filter((each) => TAKEN.test(typeOf(each)))
      const chosen = identities.filter((each) => key === undefined || isNamed(each, key))
      const identity = chosen[attempt - 1]
      if (identity) {
        return sshsig(identity.key, message, (bytes) => signBy(path, identity.key, bytes, signal))
      }
      if (attempt > 1) return undefined
      throw refused(`the SSH agent holds no key${key === undefined ? ' to use' : ` ${key}`}`)
    },
  })
}

function typeOf({ key }: Identity): string {
  return key.length < 4 ? '' : key.toString('latin1', 4, 4 + key.readUInt32BE())
}

function isNamed({ key, comment }: Identity, name: string): boolean {
  const fingerprint = createHash('sha256').update(key).digest('base64').replace(/=+$/, '')
  const [, encoded] = name.trim().split(/\s+/)
  return name === `SHA256:${fingerprint}` || encoded === key.toString('base64') || name === comment
}

function refused(detail: string): PorthouseError {
  return new PorthouseError('UNAUTHENTICATED', { detail })
}
