/** MessageService: what POST /v1/messages does, by the API; histories, and cursors (R6, R36). */
import type { Client } from '@connectrpc/connect'
import { MessageService } from '@porthouse/proto/admin/v1/message_service'
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { SocketGuest } from '../mqtt/equality/socket-guest.ts'
import { adminClient, failure } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'
import { block, DURABLE } from '../support/past.ts'
import { resetRawWebSockets } from '../support/raw-websocket.ts'

const LOG = 'accounts/acme/rooms/log'
const UNREAD = block('unread', { enabled: true })

let gateway: TestGateway
let token: string
let owner: Client<typeof MessageService>
let clerk: Client<typeof MessageService>

const by = (key: string | undefined) => adminClient(MessageService, gateway, key)

beforeAll(async () => {
  gateway = await TestGateway.start()
  await gateway.room('acme/log', [DURABLE, UNREAD])
  await gateway.room('acme/plain', [DURABLE, UNREAD])
  await gateway.room('acme/mute')
  await gateway.room('other/log', [DURABLE, UNREAD])
  token = await gateway.token('acme', ['log', 'plain', 'mute'], { client: 'ann' })
  owner = by(await gateway.apiKey('owner', 'acme'))
  clerk = by(token)
  for (let i = 1; i <= 10; i++) {
    const to = [i % 2 === 0 ? 'room:acme/log/even' : 'room:acme/log']
    await owner.sendMessage({ to, content: { case: 'text', value: `${i}` } })
  }
})
afterEach(resetRawWebSockets)
afterAll(() => gateway?.stop())

function texts(messages: readonly { envelope?: { content: { value?: unknown } } | undefined }[]) {
  return messages.map(({ envelope }) => envelope?.content.value)
}

describe('SendMessage', () => {
  test.each(['connect', 'grpc', 'grpc-web'] as const)('by %s is heard', async (protocol) => {
    const guest = await SocketGuest.comes(gateway.port, 'binary', token)
    await guest.enters('acme/mute')
    const client = adminClient(MessageService, gateway, token, protocol)
    const receipt = await client.sendMessage({
      to: ['room:acme/mute'],
      content: { case: 'json', value: { kind: { case: 'numberValue', value: 5 } } },
    })
    expect(receipt).toMatchObject({ status: ReceiptStatus.ROUTED, sockets: 1 })
    expect(await guest.hears()).toMatchObject({
      id: Buffer.from(receipt.id).toString('hex'),
      from: 'client:acme/ann',
      bytes: Buffer.from('5'),
      contentType: 'application/json',
    })
  })

  test('under one key is one message, whichever way it came', async () => {
    const message = { to: ['room:acme/plain'], idempotencyKey: 'once' }
    const first = await clerk.sendMessage(message)
    const again = await clerk.sendMessage(message)
    expect(again).toMatchObject({ status: ReceiptStatus.DUPLICATE, id: first.id })
  })

  test.each([
    [{ to: ['room:acme/none'] }, 'ROOM_UNKNOWN'],
    [{ to: ['room:other/log'] }, 'ENTRY_NOT_PERMITTED'],
    [{ to: ['room:other/none'] }, 'ENTRY_NOT_PERMITTED'],
    [{ to: ['nonsense'] }, 'ADDRESS_INVALID'],
    [{ to: [] }, 'ARGUMENT_INVALID'],
    [{ to: ['room:acme/log'], contentType: 'x'.repeat(129) }, 'NAME_TOO_LONG'],
  ])('%# is refused', async (message, code) => {
    expect((await failure(clerk.sendMessage(message))).code).toBe(code)
  })

  test('an operator speaks for the account that owns the destination, and for one', async () => {
    const operator = by(await gateway.operatorKey())
    const guest = await SocketGuest.comes(gateway.port, 'binary', token)
    await guest.enters('acme/mute')
    await operator.sendMessage({ to: ['room:acme/mute'] })
    expect((await guest.hears()).from).toBe('lobby:acme')
    for (const to of [
      ['room:acme/mute', 'room:other/log'],
      ['room:nobody/x'],
      ['socket:aaaaaaaaaaaaaaaa'],
    ]) {
      expect((await failure(operator.sendMessage({ to }))).code).toBe('ARGUMENT_INVALID')
    }
  })
})

describe('FetchMessages', () => {
  test.each([
    ['the last ones', {}, ['8', '9', '10']],
    ['after', { range: { case: 'after', value: { sequence: 2n } } }, ['3', '4', '5']],
    ['before', { range: { case: 'before', value: { sequence: 5n } } }, ['2', '3', '4']],
    ['around', { range: { case: 'around', value: { sequence: 5n } } }, ['4', '5', '6']],
    [
      'between',
      { range: { case: 'between', value: { fromSequence: 4n, toSequence: 9n } } },
      ['4', '5', '6'],
    ],
  ] as const)('reads %s', async (_what, asked, wanted) => {
    const { messages, firstSequence, lastSequence, epoch } = await owner.fetchMessages({
      parent: LOG,
      pageSize: 3,
      ...asked,
    })
    expect(texts(messages)).toEqual(wanted)
    expect([firstSequence, lastSequence]).toEqual([1n, 10n])
    expect(epoch).toBeGreaterThan(0n)
    const { name, envelope } = messages[0]!
    expect(name).toMatch(/^messages\/[0-9a-f-]{36}$/)
    expect(envelope?.stamp).toMatchObject({ from: 'lobby:acme', route: 0 })
  })

  test.each([
    ['to the beginning', {}],
    ['to the end', { range: { case: 'after', value: { sequence: 0n } } }],
    [
      'of what is between',
      { range: { case: 'between', value: { fromSequence: 2n, toSequence: 9n } } },
    ],
    ['of a channel', { channel: 'even' }],
  ] as const)('goes on page by page, %s', async (_what, asked) => {
    const found: unknown[] = []
    let pageToken = ''
    do {
      const page = await clerk.fetchMessages({ parent: LOG, pageSize: 3, pageToken, ...asked })
      if ('range' in asked) found.push(...texts(page.messages))
      else found.unshift(...texts(page.messages))
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    const all = Array.from({ length: 10 }, (_, i) => i + 1)
    const wanted = all.filter((n) => {
      if ('channel' in asked) return n % 2 === 0
      return !('range' in asked) || asked.range.case === 'after' || (n >= 2 && n <= 9)
    })
    expect(found).toEqual(wanted.map(String))
  })

  test('a page token is of one question', async () => {
    const { nextPageToken: pageToken } = await owner.fetchMessages({ parent: LOG, pageSize: 3 })
    for (const other of [
      { parent: LOG, channel: 'even' },
      { parent: 'accounts/acme/rooms/plain' },
    ]) {
      const failed = await failure(owner.fetchMessages({ ...other, pageToken }))
      expect(failed.code).toBe('PAGE_TOKEN_INVALID')
    }
    expect((await failure(clerk.fetchMessages({ parent: LOG, pageToken }))).code).toBe(
      'PAGE_TOKEN_INVALID',
    )
  })

  test('hears what a socket of the caller may hear, and no more (A17)', async () => {
    const even = by(await gateway.token('acme', ['log'], { channels: ['even'] }))
    const { messages } = await even.fetchMessages({ parent: LOG })
    expect(texts(messages)).toEqual(['2', '4', '6', '8', '10'])
    const odd = even.fetchMessages({ parent: LOG, channel: 'odd' })
    expect((await failure(odd)).code).toBe('CHANNEL_NOT_PERMITTED')
    const sender = by(await gateway.token('acme', ['log'], { receive: false }))
    expect((await failure(sender.fetchMessages({ parent: LOG }))).code).toBe(
      'RECEIVE_NOT_PERMITTED',
    )
    const reader = by(await gateway.token('acme', ['log'], { send: false }))
    expect(texts((await reader.fetchMessages({ parent: LOG, pageSize: 1 })).messages)).toEqual([
      '10',
    ])
    const sent = reader.sendMessage({ to: ['room:acme/log'] })
    expect((await failure(sent)).code).toBe('SEND_NOT_PERMITTED')
  })

  test.each([
    ['accounts/acme/rooms/mute', {}, 'NO_HISTORY'],
    [LOG, { range: { case: 'after', value: { sequence: 99n } } }, 'POSITION_UNKNOWN'],
    [LOG, { range: { case: 'after', value: { epoch: 1n, sequence: 1n } } }, 'EPOCH_CHANGED'],
    ['accounts/acme/rooms/none', {}, 'RESOURCE_UNKNOWN'],
    ['accounts/other/rooms/log', {}, 'RESOURCE_UNKNOWN'],
    ['accounts/none/rooms/log', {}, 'RESOURCE_UNKNOWN'],
    ['rooms/log', {}, 'ARGUMENT_INVALID'],
  ] as const)('of %s is refused', async (parent, asked, code) => {
    expect((await failure(owner.fetchMessages({ parent, ...asked }))).code).toBe(code)
  })
})

describe('cursors', () => {
  const cursor = (sequence: number, holder = '') => ({
    holder,
    position: { sequence: BigInt(sequence) },
  })

  test('are moved by their holder, whose sockets are told, and listed', async () => {
    const guest = await SocketGuest.comes(gateway.port, 'json', token)
    await guest.enters('acme/log')
    const moved = await clerk.setCursor({ parent: LOG, cursor: cursor(3) })
    expect(moved).toMatchObject({ holder: 'accounts/acme/clients/ann', position: { sequence: 3n } })
    expect(await guest.hasTold('cursor')).toMatchObject({ position: { sequence: 3n } })
    const { cursors, last } = await owner.listCursors({ parent: LOG })
    expect(cursors).toEqual([moved])
    expect(last?.sequence).toBe(10n)
  })

  test('are moved by the account, forward and no further than there is', async () => {
    const parent = 'accounts/acme/rooms/log'
    const holder = 'accounts/acme/clients/ann'
    const tried = await owner.setCursor({ parent, cursor: cursor(5, holder), validateOnly: true })
    expect(tried.position?.sequence).toBe(5n)
    await owner.setCursor({ parent, cursor: cursor(4, holder) })
    const set = (sequence: number) =>
      failure(owner.setCursor({ parent, cursor: cursor(sequence, holder) }))
    expect((await set(2)).code).toBe('CURSOR_BEHIND')
    expect((await set(11)).code).toBe('POSITION_UNKNOWN')
    expect((await clerk.listCursors({ parent })).cursors).toMatchObject([
      { position: { sequence: 4n } },
    ])
  })

  test('of tokens without a client are theirs alone, and come in pages', async () => {
    const parent = 'accounts/acme/rooms/plain'
    await clerk.sendMessage({ to: ['room:acme/plain'] })
    const others = await Promise.all([1, 2, 3].map(() => gateway.token('acme', ['plain'])))
    const holders: string[] = []
    for (const key of others) {
      const { holder } = await by(key).setCursor({ parent, cursor: cursor(1) })
      holders.push(holder)
      expect((await by(key).listCursors({ parent })).cursors).toMatchObject([{ holder }])
    }
    const found: string[] = []
    let pageToken = ''
    do {
      const page = await owner.listCursors({ parent, pageSize: 1, pageToken })
      found.push(...page.cursors.map(({ holder }) => holder))
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    expect(found).toEqual(holders.sort())
    const { holder } = await by(others[0]).setCursor({ parent, cursor: cursor(1) })
    const other = holders.find((each) => each !== holder) as string
    const stolen = by(others[0]).setCursor({ parent, cursor: cursor(1, other) })
    expect((await failure(stolen)).code).toBe('RESOURCE_UNKNOWN')
  })

  test.each([
    ['of nobody', LOG, '', 'ARGUMENT_INVALID'],
    ['of a client that is not there', LOG, 'accounts/acme/clients/none', 'RESOURCE_UNKNOWN'],
    ['of another account', LOG, 'accounts/other/clients/ann', 'RESOURCE_UNKNOWN'],
    ['where none are kept', 'accounts/acme/rooms/mute', 'accounts/acme/clients/ann', 'NO_HISTORY'],
  ])('%s are refused', async (_what, parent, holder, code) => {
    const moved = owner.setCursor({ parent, cursor: cursor(1, holder) })
    expect((await failure(moved)).code).toBe(code)
  })
})

test('an auditor neither sends nor reads', async () => {
  const auditor = by(await gateway.apiKey('auditor', 'acme'))
  for (const call of [
    () => auditor.sendMessage({ to: ['room:acme/log'] }),
    () => auditor.fetchMessages({ parent: LOG }),
    () => auditor.listCursors({ parent: LOG }),
  ]) {
    expect((await failure(call())).code).toBe('ROLE_NOT_PERMITTED')
  }
})
