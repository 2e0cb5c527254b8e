/** The README's tour of administration, by curl, buf curl, grpcurl and porthouse: all the same. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Client, connect } from '../../clients/ts/src/index.ts'
import { root } from '../tidy/root.ts'
import { Hub } from './hub.ts'

const run = promisify(execFile)
const GRPCURL = 'github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3'
/** The first time that grpcurl is built. */
const BUILD_MS = 300_000
const TOUR_MS = 120_000

const bin = join(root, '.tools/bin')
const JSON_TYPE = 'Content-Type: application/json'

let hub: Hub
let http: string
let operator: string

beforeAll(async () => {
  await installGrpcurl()
  hub = await Hub.start()
  http = hub.url.replace('ws:', 'http:')
  operator = (await hub.json<{ secret: string }>(['operator', 'key'])).secret
}, BUILD_MS)
afterAll(async () => {
  expect(await hub.stop()).toMatchObject({ code: 0, stderr: '' })
})

async function installGrpcurl(): Promise<void> {
  if (existsSync(join(bin, 'grpcurl'))) return
  // Two test files may install at once: each its own, and either is as good.
  const own = `${bin}.${process.pid}`
  await mkdir(own, { recursive: true })
  await run('go', ['install', GRPCURL], { env: { ...process.env, GOBIN: own } })
  await mkdir(bin, { recursive: true })
  await rename(join(own, 'grpcurl'), join(bin, 'grpcurl'))
  await rm(own, { recursive: true })
}

interface Step {
  /** `Service/Method`, or `post`. */
  readonly method: string
  readonly body: string
}

/** What the README calls, in its order. */
const STEPS: readonly Step[] = [
  ...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^(?:api (\S+)|post) '([^']*)'$/gm),
].map(([, method = 'post', body = '']) => ({ method, body }))

type Json = Record<string, never> & { [key: string]: Json }
type Way = (key: string, method: string, body: string) => Promise<unknown>

const bearer = (key: string) => ['-H', `Authorization: Bearer ${key}`]
const said = async (file: string, args: string[]) => JSON.parse((await run(file, args)).stdout)
const ofMethod = (method: string) => (method === 'post' ? 'MessageService/SendMessage' : method)

const WAYS: Record<string, Way> = {
  curl: (key, method, body) => {
    const path = method === 'post' ? 'v1/messages' : `porthouse.admin.v1.${method}`
    const args = ['-sS', '--fail-with-body', ...bearer(key), '-H', JSON_TYPE, '-d', body]
    return said('curl', [...args, `${http}/${path}`])
  },
  buf: (key, method, body) => {
    const url = `${http}/porthouse.admin.v1.${ofMethod(method)}`
    const grpc = ['--http2-prior-knowledge', '--protocol', 'grpc']
    const buf = join(root, 'node_modules/.bin/buf')
    return said(buf, ['curl', ...grpc, ...bearer(key), '-d', body, url])
  },
  grpcurl: (key, method, body) => {
    const at = [`127.0.0.1:${hub.port}`, `porthouse.admin.v1.${ofMethod(method)}`]
    return said(join(bin, 'grpcurl'), ['-plaintext', ...bearer(key), '-d', body, ...at])
  },
}

interface Tour {
  /** What each step was answered. */
  readonly answers: readonly Json[]
  /** What became of the message that nobody heard, by the command line. */
  readonly why: string
  /** Milliseconds from the answer to the end of the token's socket. */
  readonly outAfter: number
  readonly closed: unknown
}

/** Takes the whole tour, in an account of its own. */
async function taken(way: Way, account: string): Promise<Tour> {
  const answers: Json[] = []
  const tokens: Json[] = []
  const sockets: Client[] = []
  const closed = Promise.withResolvers<unknown>()
  let revokedAt = 0
  for (const { method, body } of STEPS) {
    const token = tokens[0]
    const name = token && String(token.name)
    const filled = body
      .replace('accounts/acme/tokens/ID', name ?? '')
      .replaceAll(/\bacme\b/g, account)
    const key = method === 'post' ? String(token!.secret) : operator
    const answer = (await way(key, method, filled)) as Json
    answers.push(answer)
    if (method === 'TokenService/RevokeToken') revokedAt = performance.now()
    if (method !== 'TokenService/CreateToken') continue
    tokens.push(answer)
    const options = { token: String(answer.secret), reconnect: false } as const
    const client = await connect(hub.url, options)
    client.on('closed', ({ error }) => closed.resolve(error?.code))
    await client.join(`${account}/hall`)
    sockets.push(client)
  }
  const code = await closed.promise
  const outAfter = performance.now() - revokedAt
  const posts = answers.filter((_, i) => STEPS[i]!.method === 'post')
  const { stdout: why } = await hub.run(['why', String(posts.at(-1)!.id)])
  return { answers, why, outAfter, closed: code }
}

/** Ids, times and secrets differ, and so do the accounts. */
function plain(value: unknown, account: string): unknown {
  const text = JSON.stringify(value, (key, each) =>
    /^(uid|id|etag|secret|\w*[tT]ime|timeMs|epoch|traceId|remote|socket|from)$/.test(key)
      ? `a ${key}`
      : each,
  )
  const uuid = /[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g
  return JSON.parse(
    text
      .replaceAll(account, 'acme')
      .replaceAll(uuid, 'UUID')
      .replaceAll(/sockets?[:/]\w{16}/g, 'SOCKET'),
  )
}

const tours: Record<string, Tour> = {}

describe.each(Object.entries(WAYS))('by %s', (name, way) => {
  test('the tour is taken', { timeout: TOUR_MS }, async () => {
    const tour = await taken(way, `by-${name}`)
    tours[name] = tour
    const [, , , rooms, , , fetched, sockets, , , audit] = tour.answers
    expect(rooms).toMatchObject({ rooms: [{}, {}] })
    expect(fetched).toMatchObject({ messages: [{ envelope: { text: 'hello' } }] })
    expect(sockets).toMatchObject({ sockets: [{}] })
    expect(audit!.entries![0]).toMatchObject({ method: 'TokenService/RevokeToken' })
  })

  test('the end of the token is the end of its socket, within a second', () => {
    expect(tours[name]).toMatchObject({ closed: 'REVOKED' })
    expect(tours[name]!.outAfter).toBeLessThan(1_000)
  })

  test('porthouse why explains the message that nobody heard', () => {
    expect(tours[name]!.why).toContain(`void at send, room:by-${name}/yard: nobody else`)
  })

  test('all answers are those of curl', () => {
    const of = (way: string) => plain(tours[way]!.answers, `by-${way}`)
    expect(of(name)).toEqual(of('curl'))
  })
})

describe('by porthouse', () => {
  const account = 'by-cli'
  const grants = ['--room', 'hall:send,receive', '--room', 'yard:send']

  test('the tour is taken, and comes to the same', { timeout: TOUR_MS }, async () => {
    await hub.json(['account', 'create', account])
    await hub.json(['room', 'create', `${account}/yard`, '--lock', 'token'])
    await hub.json(['room', 'create', `${account}/hall`, '--history', 'window'])
    const made = ['token', 'create', account, ...grants]
    const { id, secret } = await hub.json<{ id: string; secret: string }>(made)
    const send = (room: string, text: string) =>
      hub.json<{ id: string }>(['send', `${account}/${room}`, text, '--token', secret])
    await send('hall', 'hello')
    const listen = ['listen', `${account}/hall`, '--since', 'start', '--count', '1']
    expect(await hub.json([...listen, '--token', secret])).toMatchObject({ text: 'hello' })
    const { stdout: why } = await hub.run(['why', (await send('yard', 'anybody?')).id])
    expect(why).toContain(`void at send, room:${account}/yard: nobody else`)
    await hub.json(['token', 'revoke', id])
  })

  test('what is there then, and who did it, is the same', async () => {
    const { answers } = tours.curl!
    const rooms = await hub.json<Json[]>(['room', 'list', account])
    const names = rooms.map(({ slug }) => `accounts/${account}/rooms/${slug}`)
    const listed = answers[3]!.rooms as unknown as Json[]
    expect(plain(names, account)).toEqual(
      plain(
        listed.map((room) => room.name),
        'by-curl',
      ),
    )
    const entries = await hub.json<Json[]>(['audit', 'list', account])
    const told = ({ principal, method, resource }: Json) => ({ principal, method, resource })
    const audited = answers.at(-1)!.entries as unknown as Json[]
    expect(plain(entries.map(told), account)).toEqual(plain(audited.map(told), 'by-curl'))
  })
})
