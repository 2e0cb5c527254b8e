/** Messages to a socket, client, token, group and lock, from and to each medium (R32, R54). */
import { Code } from '@porthouse/proto/v1/code'
import type { Envelope } from '@porthouse/proto/v1/envelope'
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { TestGateway } from '../../support/gateway.ts'
import { resetMqttClients } from '../../support/mqtt-client.ts'
import { block } from '../../support/past.ts'
import { resetRawWebSockets } from '../../support/raw-websocket.ts'
import { type Guest, MEDIA, type Medium } from './guest.ts'
import { comes, newRoom, newTokenIn } from './guests.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await TestGateway.start()
})
afterEach(() => {
  resetMqttClients()
  resetRawWebSockets()
})
afterAll(() => gateway?.stop())

const hex = (id: Uint8Array = new Uint8Array()) => Buffer.from(id).toString('hex')

const PAIRS = MEDIA.flatMap((from) => MEDIA.map((to): [Medium, Medium] => [from, to]))

let clients = 0

async function newClient(room: string) {
  const slug = `ann-${++clients}`
  await gateway.store.clients.create({ account: 'acme', slug, grants: [] })
  const { secret } = await newTokenIn(gateway, room, { client: slug })
  return { address: `client:acme/${slug}`, secret }
}

async function identityOf(guest: Guest): Promise<string> {
  const { sockets } = (await guest.commands('listSockets', {})) as {
    sockets: { self: boolean; identities: string[] }[]
  }
  return sockets.find(({ self }) => self)?.identities[0] ?? ''
}

/** Writes to it, and it is there, from whom and once. */
async function reaches(writer: Guest, reader: Guest, to: string, from = writer.address) {
  const receipt = await writer.writes([to], `to ${to}`)
  expect(receipt).toMatchObject({ status: ReceiptStatus.ROUTED, sockets: 1 })
  const { content, stamp } = (await reader.hasTold('envelope')) as unknown as Envelope
  expect(content.value).toBe(`to ${to}`)
  expect(stamp?.from).toBe(from)
  expect(hex(stamp?.id)).toBe(hex(receipt.id))
  expect(reader.untold).not.toContain('envelope')
  expect(reader.waiting).toEqual([])
}

describe.each(PAIRS)('from %s to %s', (from, to) => {
  test('a socket, a token’s connection, a client and a group', async () => {
    const groups = [{ name: 'workers', clients: [], open: true }]
    const { room, secret } = await newRoom(gateway, block('groups', { groups }))
    const [writer, reader] = [await comes(gateway, from, secret), await comes(gateway, to, secret)]
    await writer.enters(room)
    await reader.enters(room)
    const ownName = await identityOf(writer)
    await reaches(
      writer,
      reader,
      reader.address,
      ownName.startsWith('client') ? ownName : writer.address,
    )
    await reaches(writer, reader, await identityOf(reader))
    const group = `group:${room}/workers`
    expect(await reader.asksRoom('join', { address: group })).toMatchObject({ address: group })
    await reaches(writer, reader, group)
    await reader.asksRoom('leave', { address: group })
    expect((await writer.writes([group], 'x')).status).toBe(ReceiptStatus.VOID)
    const ann = await newClient(room)
    const known = await comes(gateway, to, ann.secret)
    await reaches(writer, known, ann.address)
    await reaches(known, writer, writer.address, ann.address)
  })

  test('who has gone is not reached', async () => {
    const { secret } = await newRoom(gateway)
    const [writer, reader] = [await comes(gateway, from, secret), await comes(gateway, to, secret)]
    reader.vanishes()
    await reader.ended
    for (;;) {
      const { status, code } = await writer.writes([reader.address], 'x')
      if (status === ReceiptStatus.ROUTED) continue
      expect([status, code]).toEqual([ReceiptStatus.VOID, Code.UNSPECIFIED])
      return
    }
  })
})

describe.each(MEDIA)('over %s', (medium) => {
  test('what is sent to several is answered for by each', async () => {
    const { room, secret } = await newRoom(gateway)
    const guests = await Promise.all(MEDIA.map((each) => comes(gateway, each, secret)))
    const writer = await comes(gateway, medium, secret)
    for (const guest of guests) await guest.enters(room)
    const to = [`room:${room}/a`, ...guests.map(({ address }) => address), 'room:acme/nowhere']
    const receipt = await writer.writes(to, 'to all of you')
    expect(receipt).toMatchObject({
      status: ReceiptStatus.ROUTED,
      rejections: [{ address: 'room:acme/nowhere' }],
    })
    for (const guest of guests) {
      expect(await guest.hearsText()).toBe('to all of you')
      const { stamp } = (await guest.hasTold('envelope')) as unknown as Envelope
      expect(hex(stamp?.id)).toBe(hex(receipt.id))
    }
  })

  test('a client’s own channel has what it has missed', async () => {
    const { room, secret } = await newRoom(gateway)
    const ann = await newClient(room)
    const writer = await comes(gateway, 'binary', secret)
    const first = await comes(gateway, medium, ann.secret)
    await writer.writes([ann.address], 'one')
    const { stamp } = (await first.told('envelope')).body.value as {
      stamp: { sequence: bigint; epoch: bigint }
    }
    first.vanishes()
    await first.ended
    const witness = await comes(gateway, 'binary', ann.secret)
    await writer.writes([ann.address], 'two')
    await witness.told('envelope')
    const again = await comes(gateway, medium, ann.secret)
    const { sequence, epoch } = stamp
    const backlog = { case: 'after', value: { sequence, epoch } }
    expect(await again.asksRoom('join', { address: ann.address, backlog })).toMatchObject({
      backlog: { recovered: true },
    })
    expect((await again.told('envelope')).body.value).toMatchObject({
      content: { value: 'two' },
      stamp: { sequence: sequence + 1n },
    })
    await writer.writes([ann.address], 'three')
    expect((await again.told('envelope')).body.value).toMatchObject({ content: { value: 'three' } })
  })

  test('without a destination it goes to the client’s own channel, else to nobody', async () => {
    const { room, secret } = await newRoom(gateway)
    const ann = await newClient(room)
    const [one, other] = [
      await comes(gateway, medium, ann.secret),
      await comes(gateway, 'json', ann.secret),
    ]
    expect(await one.writes([], 'note to myself')).toMatchObject({ status: ReceiptStatus.ROUTED })
    expect((await other.told('envelope')).body.value).toMatchObject({
      content: { value: 'note to myself' },
      stamp: { from: ann.address },
    })
    const nobody = await comes(gateway, medium, secret)
    expect(await nobody.writes([], 'x')).toMatchObject({ status: ReceiptStatus.VOID })
  })
})
