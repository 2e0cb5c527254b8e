/** Devices that answer a predefined challenge (R4), their own or their room's. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { newPreset } from '../../../gateway/identity/presets.ts'
import type { LockContext, Response } from '../../../gateway/locks/acceptor.ts'
import { presetAcceptor } from '../../../gateway/locks/acceptors/preset.ts'
import type { Store } from '../../../gateway/store/store.ts'
import { asked, BOILER, contextOf, outcomeOf } from '../../support/before-lock.ts'
import { MemoryStore } from '../../support/memory-store.ts'

const WRONG = 'UNAUTHENTICATED'
const CHALLENGE = Buffer.from('porthouse?')
const RESPONSE = randomBytes(32)
const ROOMS = {
  challenge: 'who is there?',
  response_sha256: createHash('sha256').update(RESPONSE).digest('hex').toUpperCase(),
}

function gateway() {
  const store = new MemoryStore()
  store.room('acme/boiler')
  const device = store.client('acme/device', ['boiler'])
  const mute = store.client('acme/mute')
  const acceptor = presetAcceptor({ store: store as unknown as Store, random: randomBytes })
  const preset = (response = RESPONSE, expiresAt?: Date, challenge = CHALLENGE) => {
    const data = newPreset(challenge, response, randomBytes(16))
    return store.credential(
      'acme/device',
      'preset',
      { ...data },
      { ...(expiresAt && { expiresAt }) },
    )
  }
  return { store, device, mute, acceptor, preset }
}

type Hub = ReturnType<typeof gateway>
type Context = LockContext<ReturnType<Hub['acceptor']['readOptions']>>

function data(value: Uint8Array): Response {
  return { case: 'data', value }
}

async function login({ acceptor }: Hub, context: Context, response: Response = data(RESPONSE)) {
  const { ask, state } = asked(await acceptor.begin(context), 'data')
  const outcome = outcomeOf(await acceptor.answer(response, context, state))
  return { challenge: Buffer.from(ask.value).toString('latin1'), outcome }
}

describe("a client's own", () => {
  test('proves the client that the URL names', async () => {
    const hub = gateway()
    const { id } = hub.preset()
    const context: Context = contextOf({ client: hub.device.id })
    const { challenge, outcome } = await login(hub, context)
    expect(challenge).toBe('porthouse?')
    expect(outcome).toEqual({
      acceptor: 'preset',
      account: hub.device.account,
      client: hub.device,
      credential: id,
      grants: hub.device.grants,
      values: { client: 'client:acme/device' },
    })
    expect(hub.acceptor.finished(contextOf({ proofs: [outcome as never] }))).toBe(true)
  })

  test('as text, where the response is text', async () => {
    const hub = gateway()
    hub.preset(Buffer.from('sésame'))
    const context: Context = contextOf({ client: hub.device.id })
    const { outcome } = await login(hub, context, { case: 'text', value: 'sésame' })
    expect(outcome).toMatchObject({ client: { slug: 'device' } })
  })

  test('has the latest challenge, whose old and new response overlap', async () => {
    const hub = gateway()
    const context: Context = contextOf({ client: hub.device.id })
    hub.preset(randomBytes(8), undefined, Buffer.from('old?'))
    const first = hub.preset()
    const next = randomBytes(32)
    hub.preset(next, new Date(2_000_000))
    const { challenge, outcome } = await login(hub, context, data(next))
    expect(challenge).toBe('porthouse?')
    expect(outcome).toMatchObject({ expiresAt: new Date(2_000_000) })
    expect((await login(hub, context)).outcome).toMatchObject({ credential: first.id })
    const late: Context = contextOf({ client: hub.device.id, now: 2_000_000 })
    expect((await login(hub, late, data(next))).outcome).toBe('PROOF_EXPIRED')
    hub.store.deleteCredential(first.id)
    expect((await login(hub, context)).outcome).toBe(WRONG)
  })

  test('deleted between challenge and answer opens nothing', async () => {
    const hub = gateway()
    const { id } = hub.preset()
    const context: Context = contextOf({ client: hub.device.id })
    const { state } = asked(await hub.acceptor.begin(context), 'data')
    hub.store.deleteCredential(id)
    expect(outcomeOf(await hub.acceptor.answer(data(RESPONSE), context, state))).toBe(WRONG)
  })

  test('is not opened by anything else', async () => {
    const hub = gateway()
    hub.preset()
    const context: Context = contextOf({ client: hub.device.id })
    const kept = Buffer.from(hub.preset().data.hash as string, 'base64')
    for (const wrong of [kept, CHALLENGE, new Uint8Array(), RESPONSE.subarray(1)]) {
      expect((await login(hub, context, data(wrong))).outcome).toBe(WRONG)
    }
    expect((await login(hub, context, { case: undefined })).outcome).toBe(WRONG)
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (noise) => {
        expect((await login(hub, context, data(noise))).outcome).toBe(WRONG)
      }),
      { numRuns: 50 },
    )
  })

  test('of a client that is not there, or has none, is asked for all the same (K14)', async () => {
    const hub = gateway()
    hub.preset()
    for (const client of [randomUUID() as string, hub.mute.id]) {
      const context: Context = contextOf({ client })
      const [first, second] = [await login(hub, context), await login(hub, context)]
      expect(first).toEqual(second)
      expect(first.outcome).toBe(WRONG)
      expect(first.challenge).toHaveLength(16)
    }
    const elsewhere = { address: 'room:other/room', account: 'other', room: 'room' }
    const foreign: Context = contextOf({ client: hub.device.id, place: elsewhere })
    expect((await login(hub, foreign)).outcome).toBe(WRONG)
  })

  test('asks for nothing where nobody is named', async () => {
    const hub = gateway()
    hub.preset()
    expect(outcomeOf(await hub.acceptor.begin(contextOf()))).toBe(WRONG)
    const lobby: Context = contextOf({ client: hub.device.id, place: undefined })
    expect(outcomeOf(await hub.acceptor.begin(lobby))).toBe(WRONG)
  })

  test('a store that is away is no verdict', async () => {
    const hub = gateway()
    hub.store.away = true
    const context: Context = contextOf({ client: hub.device.id })
    await expect(hub.acceptor.begin(context)).rejects.toThrow('away')
  })
})

describe("a room's own", () => {
  const hub = gateway()
  const options = hub.acceptor.readOptions(ROOMS)

  test('proves the right to this place, and nobody in particular', async () => {
    const context: Context = contextOf({ options })
    const { challenge, outcome } = await login(hub, context)
    expect(challenge).toBe('who is there?')
    const values = { place: BOILER.address }
    const proof = { acceptor: 'preset', values, place: BOILER.address, grants: [] }
    expect(outcome).toEqual(proof)
    // The lock that took it knows it again; another one, with another response, asks for its own.
    expect(hub.acceptor.finished(contextOf({ proofs: [proof] }))).toBe(false)
    expect((await login(hub, context, data(CHALLENGE))).outcome).toBe(WRONG)
  })

  test('yields to that of the client, and serves clients that have none', async () => {
    const other = gateway()
    other.preset(randomBytes(8))
    const device: Context = contextOf({ options, client: other.device.id })
    expect(await login(other, device)).toMatchObject({ challenge: 'porthouse?', outcome: WRONG })
    const mute: Context = contextOf({ options, client: other.mute.id })
    expect((await login(other, mute)).outcome).toMatchObject({ place: BOILER.address })
  })

  test.each([
    [{ challenge: 'a' }, 'go together'],
    [{ response_sha256: ROOMS.response_sha256 }, 'go together'],
    [{ ...ROOMS, response_sha256: 'abc' }, '64 hex digits'],
    [{ ...ROOMS, challenge: '' }, 'challenge'],
    [{ ...ROOMS, challenge: 7 }, 'challenge'],
    [{ ...ROOMS, respones: 'x' }, 'respones'],
    [[], 'options'],
    [null, 'options'],
  ])('with options %j is refused: %s', (wrong, why) => {
    expect(() => hub.acceptor.readOptions(wrong)).toThrow(why)
  })
})

describe('what is kept', () => {
  test('holds no response, and none that is empty or over 1,024 bytes', () => {
    const salt = randomBytes(16)
    const kept = JSON.stringify(newPreset(CHALLENGE, RESPONSE, salt))
    expect(kept).not.toContain(RESPONSE.toString('base64'))
    const long = new Uint8Array(1025)
    expect(() => newPreset(new Uint8Array(), RESPONSE, salt)).toThrow('challenge is empty')
    expect(() => newPreset(CHALLENGE, new Uint8Array(), salt)).toThrow('response is empty')
    expect(() => newPreset(CHALLENGE, long, salt)).toThrow('over 1,024')
  })
})
