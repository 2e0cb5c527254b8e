import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { proveToken } from '../../gateway/identity/tokens.ts'
import type { Change } from '../../gateway/store/store.ts'
import { DataFolder, json, porthouse } from './process.ts'

interface Token {
  id: string
  secret: string
}

let data: DataFolder
let env: Record<string, string>
beforeAll(async () => {
  data = await DataFolder.served()
  env = data.env
  await data.store.accounts.create({ slug: 'acme' })
  await json(['room', 'create', 'acme/boiler'], { env })
  await json(['room', 'create', 'acme/lounge'], { env })
})
afterAll(() => data.close())

const create = (...more: string[]) =>
  json<Token>(['token', 'create', 'acme', '--room', 'boiler:send', ...more], { env })

describe('token', () => {
  it('has the terms that it was given, and shows them', async () => {
    const terms = ['--method', 'json', '--rate', '0.5/s:20', '--max-connections', '3']
    const { secret: _secret, ...shown } = await create(...terms)
    expect(shown).toMatchObject({
      method: 'json',
      rate: { perSecond: 0.5, burst: 20 },
      maxConnections: 3,
    })
    expect(await data.store.tokens.find(shown.id)).toMatchObject({
      method: 'json',
      rate: { perSecond: 0.5, burst: 20 },
      maxConnections: 3,
    })
    expect(await json(['token', 'show', shown.id], { env })).toEqual(shown)
    const { stdout } = await porthouse(['token', 'show', shown.id], { env })
    expect(stdout).toMatch(/^method +json\nrate +0\.5\/s:20\nconnections +3$/m)
  })

  it('has a burst of a second where none is said', async () => {
    const { id } = await create('--rate', '2.5/s')
    expect((await data.store.tokens.find(id))!.rate).toEqual({ perSecond: 2.5, burst: 3 })
  })

  it('is given rights and has them taken, each time with the rest left as it was', async () => {
    const { id } = await create('--room', 'boiler:receive:log')
    const args = ['token', 'grant', id, '--room', 'lounge:receive,admit']
    expect(await json(args, { env })).toMatchObject({
      id,
      rooms: [
        { room: 'boiler', send: true, receive: false },
        { room: 'boiler', send: false, receive: true, channels: ['log'] },
        { room: 'lounge', send: false, receive: true, admit: true },
      ],
    })
    const { stdout } = await porthouse(['token', 'ungrant', id, 'boiler'], { env })
    expect(stdout).toBe(`token ${id} may now: lounge:receive,admit\n`)
    const room = await data.store.rooms.find('acme', 'lounge')
    expect(await json(['token', 'ungrant', id, room!.id], { env })).toMatchObject({ rooms: [] })
    const none = await porthouse(['token', 'ungrant', id, 'lounge', '--json'], { env })
    expect(JSON.parse(none.stderr)).toMatchObject({ error: { code: 'MISSING' } })
  })

  it('is regenerated: the same id, another secret, and the old one is void', async () => {
    const before = await create('--rate', '1/s')
    const after = await json<Token>(['token', 'regenerate', before.id], { env })
    expect(after).toEqual({ ...before, secret: expect.stringMatching(/^pht_/) })
    const { tokens } = data.store
    expect(await proveToken(tokens, before.secret, Date.now())).toEqual({ outcome: 'unknown' })
    expect(await proveToken(tokens, after.secret, Date.now())).toMatchObject({
      outcome: 'proved',
      record: { id: before.id },
    })
    const { stdout } = await porthouse(['token', 'regenerate', before.id], { env })
    expect(stdout).toMatch(/^token .*\npht_\S+\n$/)
  })

  it('is revoked: its secret is void, its record stays, another secret revives it', async () => {
    const { id, secret } = await create('--expires', '1d')
    expect(await json(['token', 'revoke', id], { env })).toMatchObject({ id, revoked: true })
    const { tokens } = data.store
    expect(await proveToken(tokens, secret, Date.now())).toEqual({ outcome: 'unknown' })
    const { stdout } = await porthouse(['token', 'list', 'acme'], { env })
    expect(stdout).toMatch(new RegExp(`^${id}.* revoked$`, 'm'))
    const after = await json<Token>(['token', 'regenerate', id], { env })
    expect(after).not.toHaveProperty('revoked')
    expect(await proveToken(tokens, after.secret, Date.now())).toMatchObject({ outcome: 'proved' })
  })

  it('that is not there cannot be changed, nor one be made by an unknown client', async () => {
    const id = crypto.randomUUID()
    for (const args of [
      ['grant', id, '--room', 'boiler:send'],
      ['ungrant', id, 'boiler'],
      ['regenerate', id],
      ['delete', id],
    ]) {
      const { code, stdout, stderr } = await porthouse(['token', ...args, '--json'], { env })
      expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: '' })
      expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'MISSING' } })
    }
    const args = ['token', 'create', 'acme', '--room', 'boiler:send', '--client', id]
    expect(await porthouse(args, { env })).toMatchObject({ code: 1, stdout: '' })
  })

  it('given as its secret is refused, and the secret is not repeated', async () => {
    const { secret } = await create()
    for (const command of ['show', 'revoke', 'delete', 'regenerate']) {
      const { code, stderr } = await porthouse(['token', command, secret], { env })
      expect({ code, repeated: stderr.includes(secret) }).toEqual({ code: 2, repeated: false })
    }
  })

  it('tells a running gateway of each change (R51)', async () => {
    const { id } = await create()
    const seen: (Change | undefined)[] = []
    let told = () => {}
    const end = await data.store.changes.watch((change) => {
      seen.push(change)
      told()
    })
    try {
      for (const args of [
        ['grant', id, '--room', 'lounge:send'],
        ['ungrant', id, 'lounge'],
        ['regenerate', id],
        ['delete', id],
      ]) {
        seen.length = 0
        const heard = new Promise<void>((resolve) => {
          told = () => {
            if (seen.some((change) => change?.kind === 'token' && change.id === id)) resolve()
          }
        })
        await json(['token', ...args], { env })
        await heard
      }
    } finally {
      await end()
    }
  })
})
