import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../gateway/config/load.ts'
import { createCore } from '../../gateway/gateway.ts'
import { PROVES } from '../../gateway/locks/acceptors/proves.ts'
import { openLog } from '../../gateway/observe/log.ts'
import { DataFolder, json, porthouse } from './process.ts'

const SECRET = `whsec_${'c2VjcmV0'.repeat(5)}`

let data: DataFolder
let env: Record<string, string>
let asked = 0
const service = createServer((_request, response) => {
  asked++
  response.end('{"admit":true}')
})

beforeAll(async () => {
  data = await DataFolder.served()
  env = data.env
  service.listen(0, '127.0.0.1')
  await once(service, 'listening')
  const { port } = service.address() as AddressInfo
  await data.store.accounts.create({ slug: 'acme' })
  await data.store.accounts.create({ slug: 'other' })
  for (const args of [['plain'], ['open', '--open'], ['keys', '--lock', 'ssh-key']]) {
    await json(['room', 'create', `acme/${args[0]}`, ...args.slice(1)], { env })
  }
  const flow = {
    all: {
      flows: [
        { lock: { acceptor: 'identity', options: { by: { lock: { acceptor: 'ssh-key' } } } } },
        {
          any: {
            flows: [
              {
                lock: {
                  acceptor: 'webhook',
                  tries: 1,
                  deadlineMs: 5000,
                  options: { url: `http://127.0.0.1:${port}/`, secret: SECRET },
                },
              },
              { lock: { acceptor: 'token' } },
            ],
          },
        },
      ],
    },
  }
  const file = join(data.path, 'nested.json')
  writeFileSync(file, JSON.stringify({ blocks: [{ access: { flow } }] }))
  await json(['room', 'create', 'acme/nested', '--config', file], { env })
  const key = join(data.path, 'bob')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
  const rights = ['--room', 'keys:send,receive:log', '--room', 'nested:receive']
  await json(['client', 'create', 'acme/bob', '--ssh-key', `${key}.pub`, ...rights], { env })
})
afterAll(async () => {
  service.close()
  await data.close()
})

const explain = <T = unknown>(...args: string[]) => json<T>(['lock', 'explain', ...args], { env })

describe('lock explain', () => {
  it('tells what a stranger meets, and where he ends', async () => {
    expect(await explain('acme/plain')).toEqual({
      address: 'room:acme/plain',
      as: [],
      steps: {
        acceptor: 'token',
        finished: false,
        tries: 3,
        deadlineMs: 10_000,
        proves: PROVES.token,
        options: {},
      },
      next: ['token'],
      rights: { send: false, receive: false, admit: false },
      visitors: { send: true, receive: true, admit: false },
      end: { outcome: 'locked' },
    })
    expect(await explain('acme/open')).toMatchObject({
      steps: null,
      next: [],
      rights: { send: true, receive: true },
      end: { outcome: 'entered', hears: [''] },
    })
  })

  it('shows a nested flow, of which each part that is proved is finished', async () => {
    expect(await explain('acme/nested')).toMatchObject({
      steps: {
        finished: false,
        all: [
          { acceptor: 'identity', finished: false, needs: { acceptor: 'ssh-key' } },
          {
            finished: false,
            any: [
              { acceptor: 'webhook', tries: 1, deadlineMs: 5000, options: { secret: '***' } },
              { acceptor: 'token' },
            ],
          },
        ],
      },
      next: ['ssh-key'],
    })
    expect(await explain('acme/nested', '--as', 'bob')).toMatchObject({
      as: ['client:acme/bob (ssh-key)'],
      steps: { all: [{ finished: true, needs: { finished: true } }, { finished: false }] },
      next: ['webhook', 'token'],
      rights: { send: false, receive: true },
      end: { outcome: 'locked' },
    })
    const text = await porthouse(['lock', 'explain', 'acme/nested', '--as', 'acme/bob'], { env })
    expect(text.stdout).toContain('it would wait at: webhook or token')
    expect(text.stdout + text.stderr).not.toContain(SECRET)
    // A dry run asks nobody.
    expect(asked).toBe(0)
  })

  it('tells what a client may do inside, by channel', async () => {
    expect(await explain('acme/keys', '--as', 'bob')).toMatchObject({
      rights: {
        send: true,
        receive: true,
        sendChannels: ['log'],
        receiveChannels: ['log'],
      },
      end: { outcome: 'entered', hears: ['log'] },
    })
    expect(await explain('acme/keys/log', '--as', 'bob')).toMatchObject({
      end: { outcome: 'entered', hears: ['log'] },
    })
    expect(await explain('acme/plain', '--as', 'bob')).toMatchObject({
      next: ['token'],
      rights: { send: false, receive: false },
    })
  })

  it('tells what a token would do, and why another is refused', async () => {
    const create = (...rights: string[]) =>
      json<{ id: string }>(['token', 'create', 'acme', ...rights], { env })
    const good = await create('--room', 'plain:send')
    expect(await explain('acme/plain', '--token-id', good.id)).toMatchObject({
      as: [`token:${good.id} (token)`],
      rights: { send: true, receive: false },
      end: { outcome: 'entered', hears: [] },
    })
    const elsewhere = await create('--room', 'keys:send')
    expect(await explain('acme/plain', '--token-id', elsewhere.id)).toMatchObject({
      steps: { finished: true },
      end: { outcome: 'refused', code: 'ENTRY_NOT_PERMITTED' },
    })
    const { code, stderr } = await porthouse(
      ['lock', 'explain', 'acme/plain', '--token-id', crypto.randomUUID(), '--json'],
      { env },
    )
    expect(code).toBe(1)
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'MISSING' } })
  })

  it('adds up what is proved together', async () => {
    const { id } = await json<{ id: string }>(
      ['token', 'create', 'acme', '--room', 'nested:send'],
      { env },
    )
    expect(await explain('acme/nested', '--as', 'bob', '--token-id', id)).toMatchObject({
      steps: { finished: true },
      rights: { send: true, receive: true },
      end: { outcome: 'entered', hears: [''] },
    })
  })

  it("tells of the account's key, and of its lobby", async () => {
    const none = await porthouse(['lock', 'explain', 'lobby:acme', '--key'], { env })
    expect(none.code).toBe(1)
    expect(none.stderr).toContain('porthouse account key create acme')
    await json(['account', 'key', 'create', 'acme'], { env })
    expect(await explain('lobby:acme', '--key')).toMatchObject({
      as: ['account acme (key)'],
      steps: { finished: true },
      end: { outcome: 'entered' },
    })
    expect(await explain('acme/plain', '--key')).toMatchObject({
      rights: { send: true, receive: true, admit: true },
    })
  })

  it('takes a proof that has ended, or of another account, for none', async () => {
    const [key] = await data.store.credentials.list('acme', 'bob')
    await data.store.credentials.expire(key!.id, new Date(Date.now() - 1000))
    try {
      expect(await explain('acme/keys', '--as', 'bob')).toMatchObject({
        as: ['client:acme/bob'],
        next: ['ssh-key'],
      })
    } finally {
      await data.store.credentials.expire(key!.id, new Date(Date.now() + 1_000_000))
    }
    await json(['client', 'create', 'other/eve', '--password-stdin'], { env, input: 'pw' })
    expect(await explain('acme/nested', '--as', 'other/eve')).toMatchObject({
      next: ['ssh-key'],
      rights: { send: false, receive: false },
    })
  })

  it('is refused what is no place, and what is not there', async () => {
    for (const [address, words, expected] of [
      ['client:acme/bob', 'is no place to enter', 2],
      ['acme', 'ADDRESS_INVALID', 2],
      ['acme/none', 'porthouse room create acme/none', 1],
      ['lobby:nobody', 'porthouse account create nobody', 1],
    ] as const) {
      const { code, stderr } = await porthouse(['lock', 'explain', address], { env })
      expect({ address, code, told: stderr.includes(words) }).toEqual({
        address,
        code: expected,
        told: true,
      })
    }
  })

  it('says of every acceptor what it proves', () => {
    const { log } = openLog('silent')
    const { config } = loadConfig({ flags: {} })
    const { acceptors } = createCore({ config, store: data.store, log })
    expect([...acceptors.keys()].filter((name) => !PROVES[name])).toEqual([])
  })
})
