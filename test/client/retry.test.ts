/** Messages that are refused for now, and those that are refused after they were accepted. */
import { Code } from '@porthouse/proto/v1/code'
import type { Envelope } from '@porthouse/proto/v1/envelope'
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Client, connect, type PorthouseError } from '../../clients/ts/src/index.ts'
import { type Line, ManualClock, Peer, receipt } from '../support/peer.ts'

let peer: Peer
let clock: ManualClock
let client: Client
let line: Line
beforeEach(async () => {
  peer = await Peer.start()
  clock = new ManualClock()
  await open('secret')
})
afterEach(async () => {
  await client.close()
  expect(clock.pending).toBe(0)
  await peer.stop()
})

async function open(token?: string): Promise<void> {
  // The only timer is that of a retry.
  const time = { clock, answerMs: Number.POSITIVE_INFINITY, backoff: { random: () => 0 } }
  const connecting = connect(peer.url, { token, ...time })
  line = await peer.line()
  await line.welcome()
  client = await connecting
}

const stored = { status: ReceiptStatus.STORED, sequence: 9n, epoch: 1n }
const refused = (code: Code) => ({ status: ReceiptStatus.REJECTED, code, id: new Uint8Array() })
const keyOf = (value: Envelope) => value.routing!.idempotencyKey

/** Refuses the next message, and lets the wait that follows pass. */
async function refuse(code: Code): Promise<string> {
  const { id, value } = await line.frame('envelope')
  line.send(receipt(id, refused(code)))
  while (clock.pending === 0) await new Promise(setImmediate)
  clock.advance(5_000)
  return keyOf(value)
}

describe('a message that is to be stored', () => {
  test.each([
    ['UNAVAILABLE', Code.UNAVAILABLE],
    ['UNCERTAIN', Code.UNCERTAIN],
    ['STORE_FULL', Code.STORE_FULL],
  ])('is sent again under its key after %s', async (_, code) => {
    const sending = client.send('acme/board', 'x', { level: 'stored' })
    const keys = [await refuse(code), await refuse(code)]
    const { id, value } = await line.frame('envelope')
    line.send(receipt(id, stored))
    expect(await sending).toMatchObject({ status: 'STORED', sequence: 9n })
    expect(new Set([...keys, keyOf(value)]).size).toBe(1)
    expect(keyOf(value)).not.toBe('')
  })

  test('is given up when its time is over, or is wrong for good', async () => {
    const late = client.send('acme/board', 'x', { level: 'stored', retry: 1 })
    let outcome: unknown
    late.catch((error) => {
      outcome = error
    })
    while (outcome === undefined) {
      const { id } = await line.frame('envelope')
      line.send(receipt(id, refused(Code.UNAVAILABLE)))
      while (clock.pending === 0 && outcome === undefined) await ticks()
      clock.advance(1_000)
    }
    expect(outcome).toMatchObject({ code: 'UNAVAILABLE', temporary: true })
    const wrong = client.send('acme/board', 'x', { level: 'stored' })
    const { id } = await line.frame('envelope')
    line.send(receipt(id, refused(Code.NO_HISTORY)))
    await expect(wrong).rejects.toMatchObject({ code: 'NO_HISTORY' })
  })

  test('is not sent again where that was not wanted, nor at another level', async () => {
    for (const options of [{ level: 'stored', retry: false }, {}] as const) {
      const sending = client.send('acme/board', 'x', options)
      const { id } = await line.frame('envelope')
      line.send(receipt(id, refused(Code.UNAVAILABLE)))
      await expect(sending).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    }
  })

  test('stops with its signal, and with the client', async () => {
    const abort = new AbortController()
    const one = client.send('acme/board', 'x', { level: 'stored', signal: abort.signal })
    const { id } = await line.frame('envelope')
    line.send(receipt(id, refused(Code.UNAVAILABLE)))
    while (clock.pending === 0) await ticks()
    abort.abort(new Error('enough'))
    await expect(one).rejects.toThrow('enough')
    const two = client.send('acme/board', 'x', { level: 'stored' })
    const other = await line.frame('envelope')
    line.send(receipt(other.id, refused(Code.UNAVAILABLE)))
    while (clock.pending === 0) await ticks()
    await client.close()
    await expect(two).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  test('of nobody is not sent on another socket while it may be stored', async () => {
    await client.close()
    await open()
    const sending = client.send('acme/board', 'x', { level: 'stored' })
    const lost = new Promise((resolve) => client.on('reconnecting', resolve))
    const { id } = await line.frame('envelope')
    line.send(receipt(id, refused(Code.UNCERTAIN)))
    while (clock.pending === 0) await ticks()
    line.cut()
    await lost
    clock.advance(0)
    line = await peer.line()
    await line.welcome({ socket: 'socket:bbbbbbbbbbbbbbbb' })
    clock.advance(5_000)
    await expect(sending).rejects.toMatchObject({ code: 'UNCERTAIN' })
  })
})

test('a message that was accepted and is refused later is told by its id', async () => {
  const rejected = new Promise<PorthouseError>((resolve) => client.on('rejected', resolve))
  const sending = client.send('acme/board', 'x', { level: 'accepted' })
  const { id } = await line.frame('envelope')
  line.send(receipt(id, { status: ReceiptStatus.ACCEPTED }))
  const accepted = await sending
  expect(accepted.status).toBe('ACCEPTED')
  line.send(receipt(id, refused(Code.STORE_FULL)), receipt(id, refused(Code.STORE_FULL)))
  const error = await rejected
  expect(error).toMatchObject({ code: 'STORE_FULL', receipt: { id: accepted.id } })
})

const ticks = () => new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)))
