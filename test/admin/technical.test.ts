/** The technical channel by the admin API: who is told of what, and for how long (R10). */
import { type Client, ConnectError } from '@connectrpc/connect'
import { ApiKeyService } from '@porthouse/proto/admin/v1/api_key_service'
import { Role } from '@porthouse/proto/admin/v1/options'
import { SocketService } from '@porthouse/proto/admin/v1/socket_service'
import {
  TechnicalService,
  type WatchTechnicalResponse,
} from '@porthouse/proto/admin/v1/technical_service'
import { TokenService } from '@porthouse/proto/admin/v1/token_service'
import { Code } from '@porthouse/proto/v1/code'
import { type Event, EventKind, EventKindSchema } from '@porthouse/proto/v1/event'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminClient, failure } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'
import { inside } from '../support/inside.ts'
import { OPEN } from '../support/memory-store.ts'

let gateway: TestGateway
let operator: Client<typeof TechnicalService>
let owner: Client<typeof TechnicalService>

beforeAll(async () => {
  gateway = await TestGateway.start({ admin: { streams: { silenceMs: 200 } } })
  for (const room of ['acme/boiler', 'other/room']) await gateway.room(room)
  await gateway.room('acme/yard', [OPEN])
  operator = adminClient(TechnicalService, gateway, await gateway.operatorKey())
  owner = adminClient(TechnicalService, gateway, await gateway.apiKey('owner', 'acme'))
})
afterAll(() => gateway.stop())

class Watcher {
  readonly told: Event[] = []
  missed = 0n
  readonly #answers: AsyncIterator<WatchTechnicalResponse>
  readonly #stop = new AbortController()

  private constructor(client: typeof owner, request: object) {
    const answers = client.watchTechnical(request as never, { signal: this.#stop.signal })
    this.#answers = answers[Symbol.asyncIterator]()
  }

  /** Resolves when it watches. */
  static async begin(client: typeof owner, request: object): Promise<Watcher> {
    const watcher = new Watcher(client, request)
    await watcher.next()
    return watcher
  }

  async next(): Promise<WatchTechnicalResponse> {
    const { value, done } = await this.#answers.next()
    if (done) throw new Error('the watch has ended')
    const answer = value as WatchTechnicalResponse
    this.told.push(...answer.events)
    this.missed += answer.missed
    return answer
  }

  async until(kind: EventKind): Promise<Event> {
    for (;;) {
      const found = this.told.find((each) => each.kind === kind)
      if (found) return found
      await this.next()
    }
  }

  stop(): void {
    this.#stop.abort()
    this.#answers.next().catch(() => undefined)
  }
}

const kinds = (watcher: Watcher) =>
  watcher.told.map(({ kind }) => EventKindSchema.value[kind]?.localName)

describe('an account', () => {
  test.each(['connect', 'grpc', 'grpc-web'] as const)('sees its own by %s', async (by) => {
    const key = await gateway.apiKey('auditor', 'acme')
    const client = adminClient(TechnicalService, gateway, key, by)
    const watcher = await Watcher.begin(client, { parent: 'accounts/acme' })
    const token = await gateway.token('acme', ['boiler'])
    const other = await gateway.token('other', ['room'])
    const foreign = await inside(gateway, other, 'other/room')
    const own = await inside(gateway, token, 'acme/boiler')
    own.socket.packet({ body: { case: 'drop', value: {} } })
    await watcher.until(EventKind.CLOSED)
    expect(kinds(watcher)).toEqual(['OPENED', 'JOINED', 'LEFT', 'CLOSED'])
    const socket = own.name.replace('s/', ':')
    for (const each of watcher.told) expect(each.socket).toBe(socket)
    expect(watcher.told[1]).toMatchObject({
      place: 'room:acme/boiler',
      identities: [expect.stringMatching(/^token:.*\/1$/)],
    })
    foreign.socket.reset()
    watcher.stop()
  })

  test('sees of a guest what he does in its rooms, and not who he is elsewhere', async () => {
    const watcher = await Watcher.begin(owner, { parent: 'accounts/acme' })
    const token = await gateway.token('other', ['room'])
    const guest = await inside(gateway, token, 'other/room', 'acme/yard')
    guest.socket.packet({ body: { case: 'drop', value: {} } })
    await watcher.until(EventKind.LEFT)
    expect(kinds(watcher)).toEqual(['JOINED', 'LEFT'])
    expect(watcher.told.flatMap(({ identities }) => identities)).toEqual([])
    watcher.stop()
  })

  test('asks in vain for another, and for all', async () => {
    for (const parent of ['accounts/other', '-']) {
      const watching = Watcher.begin(owner, { parent })
      expect((await failure(watching)).code).toBe('RESOURCE_UNKNOWN')
    }
  })
})

describe('an operator', () => {
  test('sees all, those who are nobody among them, of the kinds that he asked for', async () => {
    const all = await Watcher.begin(operator, { parent: '-' })
    const some = await Watcher.begin(operator, { parent: '-', kinds: [EventKind.DROPPED] })
    const nobody = await inside(gateway, undefined)
    const opened = await all.until(EventKind.OPENED)
    expect(opened).toMatchObject({ socket: nobody.name.replace('s/', ':'), identities: [] })
    // In limbo nothing but a lock is allowed (R14).
    nobody.socket.send(0x1, 'text on a binary lane')
    const dropped = await all.until(EventKind.DROPPED)
    expect(dropped.code).toBe(Code.WRONG_DATA_TYPE)
    expect(await some.until(EventKind.DROPPED)).toEqual(dropped)
    expect(kinds(some)).toEqual(['DROPPED'])
    for (const watcher of [all, some]) watcher.stop()
  })

  test('is told that nothing happens', async () => {
    const watcher = await Watcher.begin(operator, { parent: '-' })
    expect(await watcher.next()).toMatchObject({ events: [], missed: 0n })
    watcher.stop()
  })

  test('is refused for a kind that nobody knows', async () => {
    const watching = Watcher.begin(operator, { parent: '-', kinds: [99] })
    expect((await failure(watching)).code).toBe('ARGUMENT_INVALID')
  })
})

test('a token that is revoked drops its socket, and that is told', async () => {
  const key = await gateway.operatorKey()
  const watcher = await Watcher.begin(owner, { parent: 'accounts/acme' })
  const guest = await inside(gateway, await gateway.token('acme', ['boiler']), 'acme/boiler')
  const sockets = adminClient(SocketService, gateway, key)
  const { identities } = await sockets.getSocket({ name: guest.name })
  await adminClient(TokenService, gateway, key).revokeToken({ name: identities[0]!.token })
  const dropped = await watcher.until(EventKind.DROPPED)
  expect(dropped).toMatchObject({ socket: guest.name.replace('s/', ':'), code: Code.REVOKED })
  watcher.stop()
})

describe('an announcement', () => {
  const detail = 'Back at noon.'

  test('reaches those who watch, of all or of one account', async () => {
    const [mine, all] = await Promise.all([
      Watcher.begin(owner, { parent: 'accounts/acme' }),
      Watcher.begin(operator, { parent: '-' }),
    ])
    await operator.announce({ parent: 'accounts/other', detail: 'not for acme' })
    await operator.announce({ parent: '-', detail, validateOnly: true })
    await owner.announce({ parent: 'accounts/acme', detail })
    expect(await mine.until(EventKind.ANNOUNCED)).toMatchObject({ detail, socket: '' })
    await all.until(EventKind.ANNOUNCED)
    while (all.told.length < 2) await all.next()
    expect(all.told.map((each) => each.detail)).toEqual(['not for acme', detail])
    expect(mine.told).toHaveLength(1)
    for (const watcher of [mine, all]) watcher.stop()
  })

  test.each([
    [{ parent: '-', detail }, 'RESOURCE_UNKNOWN'],
    [{ parent: 'accounts/acme' }, 'ARGUMENT_INVALID'],
    [{ parent: 'accounts/acme', detail: 'é'.repeat(200) }, 'ARGUMENT_INVALID'],
  ])('%j is refused to an owner with %s', async (request, code) => {
    expect((await failure(owner.announce(request))).code).toBe(code)
  })
})

describe('a watch', () => {
  test('ends within a second of its key', async () => {
    const keys = adminClient(ApiKeyService, gateway, await gateway.operatorKey())
    const apiKey = { role: Role.AUDITOR }
    const made = await keys.createApiKey({ parent: 'accounts/acme', apiKey })
    const client = adminClient(TechnicalService, gateway, made.secret)
    const watcher = await Watcher.begin(client, { parent: 'accounts/acme' })
    await keys.deleteApiKey({ name: made.name })
    const ended = async () => {
      for (;;) await watcher.next()
    }
    expect((await failure(ended())).code).toBe('REVOKED')
  })

  test('of a slow reader says how much it missed', async () => {
    const beside = await gateway.beside({ admin: { streams: { waiting: 3 } } })
    const client = adminClient(TechnicalService, beside, await gateway.operatorKey())
    const watcher = await Watcher.begin(client, { parent: '-' })
    const announcing = Array.from({ length: 100 }, (_, i) =>
      client.announce({ parent: '-', detail: `${i}` }),
    )
    await Promise.all(announcing)
    // What is written at once waits for nobody: these are read one by one, all or told missed.
    while (watcher.told.length + Number(watcher.missed) < 100) await watcher.next()
    expect(watcher.told.length + Number(watcher.missed)).toBe(100)
    watcher.stop()
    await beside.stop()
  })

  test.each(['connect', 'grpc', 'grpc-web'] as const)('by %s ends with the gateway', async (by) => {
    const beside = await gateway.beside()
    const client = adminClient(TechnicalService, beside, await gateway.operatorKey(), by)
    const watcher = await Watcher.begin(client, { parent: '-' })
    const ended = (async () => {
      for (;;) await watcher.next()
    })().catch((error) => ConnectError.from(error))
    await beside.stop()
    expect(await ended).toBeInstanceOf(ConnectError)
  })
})
