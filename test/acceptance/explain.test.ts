/** `lock explain` agrees with what a real connection then meets (R18). */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Answerer,
  connect,
  connectionKey,
  type LockStep,
  PorthouseError,
  password,
  type Room,
  token,
} from '../../clients/ts/src/index.ts'
import { sshKeyFile } from '../../clients/ts/src/node/index.ts'
import { Hub } from './hub.ts'

const PASSWORD = 'correct horse'

let hub: Hub
let accountKey: string
let rooms = 0

beforeAll(async () => {
  hub = await Hub.start()
  await hub.json(['account', 'create', 'acme'])
  accountKey = (await hub.json<{ secret: string }>(['account', 'key', 'create', 'acme'])).secret
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', hub.file('anna')])
  const anna = ['client', 'create', 'acme/anna', '--ssh-key', 'anna.pub', '--password-stdin']
  await hub.json(anna, { input: PASSWORD })
})
afterAll(async () => {
  expect(await hub.stop()).toMatchObject({ code: 0, stderr: '' })
})

interface Explained {
  readonly next: readonly string[]
  readonly rights: { readonly send: boolean; readonly receive: boolean }
  readonly end: { readonly outcome: 'locked' | 'entered' | 'refused'; readonly code?: string }
}

type Met =
  | { readonly outcome: 'locked'; readonly asked: string }
  | { readonly outcome: 'entered'; readonly send: boolean; readonly receive: boolean }
  | { readonly outcome: 'refused'; readonly code: string }

/** What the dry run foretells, in the words of what a client meets. */
function foretold({ next, rights, end }: Explained): Met {
  if (end.outcome === 'locked') return { outcome: 'locked', asked: next[0]! }
  if (end.outcome === 'refused') return { outcome: 'refused', code: end.code! }
  return { outcome: 'entered', send: rights.send, receive: rights.receive }
}

/** What a socket meets that has proved all of this in the main lobby, and nothing else. */
async function met(address: string, locks: readonly Answerer[]): Promise<Met> {
  const asked: string[] = []
  const onStep = (step: LockStep) => {
    if (step.kind === 'challenge' && step.challenge.place) asked.push(step.challenge.acceptor)
  }
  await using client = await connect(hub.url, { locks, onStep, reconnect: false })
  // As by the room's URL, who may not hear is in all the same.
  const toSend = (error: PorthouseError) => {
    if (error.code !== 'RECEIVE_NOT_PERMITTED') throw error
    return client.join(address, { sendOnly: true })
  }
  const once = await client
    .join(address)
    .catch(toSend)
    .catch((error: unknown) => error)
  if (!(once instanceof PorthouseError)) {
    const { maySend, listening } = once as Room
    return { outcome: 'entered', send: maySend, receive: listening }
  }
  const [first] = asked
  return first ? { outcome: 'locked', asked: first } : { outcome: 'refused', code: once.code }
}

const answer_sha256 = createHash('sha256').update('mellon').digest('hex')
const prompts = [{ text: 'The word:', answer_sha256 }]

const locks = fc
  .constantFrom<[string, object?]>(
    ['token'],
    ['key'],
    ['ssh-key'],
    ['password'],
    ['identity'],
    ['identity', { clients: ['anna'], by: { lock: { acceptor: 'password' } } }],
    ['identity', { clients: ['bob'] }],
    ['tty', { prompts }],
  )
  .map(([acceptor, options]) => ({ lock: { acceptor, ...(options && { options }) } }))

const { flow: flows } = fc.letrec<{ flow: object }>((tie) => ({
  flow: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    locks,
    fc
      .tuple(fc.constantFrom('all', 'any'), fc.array(tie('flow'), { minLength: 1, maxLength: 3 }))
      .map(([group, flows]) => ({ [group]: { flows } })),
  ),
}))

const rights = fc.constantFrom('send,receive', 'send', 'receive')
const who = fc.record({
  anna: fc.constantFrom(undefined, 'none', 'send,receive', 'send', 'receive'),
  token: fc.option(rights, { nil: undefined }),
  owner: fc.boolean(),
})

test('whatever the flow, and whoever comes', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(flows, who, async (flow, { anna, token: granted, owner }) => {
      const room = `room-${rooms++}`
      const address = `acme/${room}`
      await hub.room(address, flow)
      const answerers: Answerer[] = []
      const args: string[] = []
      if (anna) {
        const client = 'acme/anna'
        if (anna !== 'none')
          await hub.json(['client', 'grant', client, '--room', `${room}:${anna}`])
        answerers.push(sshKeyFile({ client, path: hub.file('anna') }))
        answerers.push(password({ client, password: PASSWORD }))
        args.push('--as', 'anna')
      }
      if (granted) {
        const create = ['token', 'create', 'acme', '--room', `${room}:${granted}`]
        const made = await hub.json<{ id: string; secret: string }>(create)
        answerers.push(token(made.secret))
        args.push('--token-id', made.id)
      }
      if (owner) {
        answerers.push(connectionKey(accountKey))
        args.push('--key')
      }
      const explained = await hub.json<Explained>(['lock', 'explain', address, ...args])
      // Its proofs end with the socket, so that the next run begins with nobody.
      expect(await met(address, answerers)).toEqual(foretold(explained))
    }),
    { numRuns: 6, endOnFailure: true },
  )
})
