/** Who answers the locks that a client command meets: what its options give, or the person. */

import { readFile } from 'node:fs/promises'
import {
  type Answerer,
  bearer,
  connectionKey,
  deviceFlow,
  knock,
  password,
  type Response,
  token,
  type Visit,
} from '@porthouse/client'
import type { ClientEnvironment } from '../config/client.ts'
import { EXIT, Failure, usage } from './failure.ts'
import { clientName } from './names.ts'
import { harmless, warn } from './output.ts'
import { askPerson, isPersonThere } from './person.ts'

export interface ProofOptions {
  readonly token?: string
  /** ACCOUNT/CLIENT, or CLIENT of the address's account. */
  readonly as?: string
  readonly sshKey?: string
  readonly sshAgent?: boolean
  readonly keyFile?: string
  readonly password?: boolean
  readonly bearer?: string
  readonly device?: boolean
}

export interface Proofs {
  readonly answerers: readonly Answerer[]
  /** The client that sends, `client:…`. */
  readonly as: string | undefined
}

/**
 * What the options give, else what the environment does, else, where `interactive`, the person.
 * `address` is where the command goes. Throws a Failure of usage.
 */
export async function proofsOf(
  options: ProofOptions,
  environment: ClientEnvironment,
  { address, interactive }: { address: string; interactive: boolean },
): Promise<Proofs> {
  const client = options.as === undefined ? undefined : clientOf(options.as, address)
  const given = [...(await byClient(options, environment, client)), ...(await byOptions(options))]
  const answerers = given.length > 0 ? given : byEnvironment(environment)
  if (answerers.length === 0 && interactive && isPersonThere()) {
    return { answerers: byPerson(), as: client }
  }
  return { answerers: [...answerers, knock()], as: client }
}

/** `client:{account}/{client}`. */
function clientOf(typed: string, address: string): string {
  const bare = typed.replace(/^client:/, '')
  const account = /^(?:room|client|lobby):([^/]+)/.exec(address)?.[1]
  if (!bare.includes('/') && account === undefined) {
    throw usage(`${typed} is a client of which account? Write --as ACCOUNT/CLIENT`)
  }
  const named = clientName(bare.includes('/') ? bare : `${account}/${bare}`)
  return `client:${named.account}/${named.client}`
}

async function byClient(
  { sshKey, sshAgent, password: asked }: ProofOptions,
  environment: ClientEnvironment,
  client: string | undefined,
): Promise<Answerer[]> {
  const means = { '--ssh-key': sshKey, '--ssh-agent': sshAgent, '--password': asked }
  const [first] = Object.entries(means).filter(([, value]) => value)
  if (client === undefined) {
    if (first) throw usage(`${first[0]} proves a client: name it by --as CLIENT`)
    return []
  }
  if (!first) {
    throw usage(`--as ${client} is proved by --ssh-key FILE, --ssh-agent or --password`)
  }
  const answerers: Answerer[] = []
  if (sshKey || sshAgent) answerers.push(await bySsh(client, sshKey, sshAgent))
  if (asked) {
    const ask = () => askPerson({ text: `Password of ${client}: `, echo: false })
    answerers.push(password({ client, password: environment.password ?? ask }))
  }
  return answerers
}

async function bySsh(
  client: string,
  path: string | undefined,
  byAgent: boolean | undefined,
): Promise<Answerer> {
  const { sshAgent, sshKeyFile } = await import('@porthouse/client/node')
  if (path === undefined) return sshAgent({ client })
  if (byAgent) return sshAgent({ client, key: await textOf(path) })
  const passphrase = () => askPerson({ text: `Passphrase of ${path}: `, echo: false })
  return sshKeyFile({ client, path, passphrase })
}

async function byOptions(options: ProofOptions): Promise<Answerer[]> {
  const answerers: Answerer[] = []
  if (options.token !== undefined) answerers.push(token(options.token))
  if (options.keyFile !== undefined) answerers.push(keyOf(await textOf(options.keyFile)))
  if (options.bearer !== undefined) answerers.push(bearer(options.bearer))
  if (options.device) answerers.push(device())
  return answerers
}

function byEnvironment({ token: secret, key, bearer: jwt }: ClientEnvironment): Answerer[] {
  return [
    ...(secret === undefined ? [] : [token(secret)]),
    ...(key === undefined ? [] : [keyOf(key)]),
    ...(jwt === undefined ? [] : [bearer(jwt)]),
  ]
}

function keyOf(secret: string): Answerer {
  try {
    return connectionKey(secret.trim())
  } catch (cause) {
    throw new Failure('USAGE', 'a connection key starts with phk_', EXIT.usage, cause)
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw usage(`${path} cannot be read: ${(cause as Error).message}`)
  }
}

function device(): Answerer {
  return deviceFlow({
    onVisit: ({ url, userCode, completeUrl }: Visit) => {
      warn(`open ${harmless(url)} and type the code ${harmless(userCode)}`)
      if (completeUrl) warn(`or open ${harmless(completeUrl)}`)
    },
  })
}

/** What a person can answer at a terminal, with what he is most likely to have before the rest. */
function byPerson(): Answerer[] {
  return [
    asking('password', prompted),
    asking('tty', prompted),
    asking('token', async ({ signal }) => askPerson({ text: 'Token: ', echo: false }, signal)),
    asking('preset', async ({ ask, signal }) => {
      if (ask.kind === 'data') warn(`it says: ${harmless(Buffer.from(ask.data).toString())}`)
      return askPerson({ text: 'Response: ', echo: false }, signal)
    }),
    asking('knock', async (asked) => {
      if (asked.ask.kind === 'prompts') return prompted(asked)
      return askPerson({ text: 'Say who knocks: ', echo: true }, asked.signal)
    }),
    device(),
  ]
}

type Asked = {
  readonly ask: Parameters<Answerer['answer']>[0]['ask']
  readonly signal: AbortSignal
}

function asking(
  acceptor: string,
  answer: (asked: Asked) => Promise<Response | undefined>,
): Answerer {
  return {
    acceptor,
    tries: Number.POSITIVE_INFINITY,
    answer: ({ ask, place, triesLeft }, { signal, attempt }) => {
      const wrong = attempt > 1 ? `that was wrong; ${triesLeft} left. ` : ''
      warn(`${wrong}${harmless(place || 'the gateway')} asks for ${acceptor}`)
      return answer({ ask, signal })
    },
  }
}

async function prompted({ ask, signal }: Asked): Promise<string[] | undefined> {
  if (ask.kind !== 'prompts') return undefined
  for (const line of [ask.name, ask.instruction]) if (line) warn(harmless(line))
  const answers: string[] = []
  for (const prompt of ask.prompts) {
    const answer = await askPerson(prompt, signal)
    if (answer === undefined) return undefined
    answers.push(answer)
  }
  return answers
}
