/** What the command line changes of tokens and rooms is met by live connections (R33, R51). */
import { fromBinary } from '@bufbuild/protobuf'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connect, type OnPacket } from '../../clients/ts/src/index.ts'
import type { Running } from '../cli/process.ts'
import { Hub } from './hub.ts'

interface Token {
  readonly id: string
  readonly secret: string
}

let hub: Hub

beforeAll(async () => {
  hub = await Hub.start()
  await hub.json(['account', 'create', 'acme'])
  await hub.json(['room', 'create', 'acme/boiler'])
  await hub.json(['room', 'create', 'acme/lounge'])
})
afterAll(async () => {
  expect(await hub.stop()).toMatchObject({ code: 0, stderr: '' })
})

const create = (...options: string[]) =>
  hub.json<Token>(['token', 'create', 'acme', '--room', 'boiler:send,receive', ...options])

async function listen(secret: string): Promise<Running> {
  const listening = hub.begin(['listen', 'acme/boiler', '--token', secret, '--json'])
  onTestFinished(() => void listening.process.kill('SIGKILL'))
  await listening.says('listening', 'stderr')
  return listening
}

/** The last line of stderr of a command that was refused for good. */
async function refusal(running: Running): Promise<{ code: string; message: string }> {
  const { code, stderr } = await running.ended
  expect({ code, stderr }).toMatchObject({ code: 3 })
  return JSON.parse(stderr.trimEnd().split('\n').at(-1)!).error
}

test('the third of two connections is refused by the limit, and takes no place', async () => {
  const { secret } = await create('--max-connections', '2')
  const [first, second] = [await listen(secret), await listen(secret)]
  for (const command of [
    ['listen', 'acme/boiler'],
    ['send', 'acme/boiler', 'hi'],
  ]) {
    const { code, stderr } = await hub.run([...command, '--token', secret, '--json'])
    // Temporary: a place may become free.
    expect(code).toBe(4)
    expect(JSON.parse(stderr).error.code).toContain('LIMIT')
  }
  await first.stop()
  const { stdout } = await hub.run(['send', 'acme/boiler', 'hi', '--token', secret])
  expect(stdout).toContain('ROUTED')
  await second.says('"hi"')
})

describe.each(['regenerate', 'delete'])('token %s', (verb) => {
  test('drops its live connections for good, and no others', async () => {
    const { id, secret } = await create()
    const other = await create()
    const [doomed, spared] = [await listen(secret), await listen(other.secret)]
    const next = await hub.json<Partial<Token>>(['token', verb, id])
    expect(await refusal(doomed)).toMatchObject({ code: 'REVOKED' })
    const again = await hub.run(['send', 'acme/boiler', 'hi', '--token', secret, '--json'])
    expect(again.code).toBe(3)
    expect(JSON.parse(again.stderr).error.code).toBe('UNAUTHENTICATED')
    if (verb === 'delete') expect(next).not.toHaveProperty('secret')
    const sender = next.secret ?? other.secret
    const sent = await hub.run(['send', 'acme/boiler', 'still here?', '--token', sender])
    expect(sent.code).toBe(0)
    await spared.says('still here?')
  })
})

test('who has lost the right to be there is told so at once, and is out', async () => {
  const { id, secret } = await create()
  const talking = hub.begin(['connect', 'acme/boiler', '--token', secret])
  onTestFinished(() => void talking.process.kill('SIGKILL'))
  await talking.says('connected', 'stderr')
  const listening = await listen(secret)
  await hub.json(['token', 'ungrant', id, 'boiler'])
  expect(await refusal(listening)).toMatchObject({ code: 'ENTRY_NOT_PERMITTED' })
  expect(await talking.ended).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/\nporthouse: ENTRY_NOT_PERMITTED: /),
  })
})

test('a room that is added is joined by who is connected, without a word', async () => {
  const { id, secret } = await create()
  const lounge = await hub.json<Token>(['token', 'create', 'acme', '--room', 'lounge:send'])
  const joined = Promise.withResolvers<void>()
  const onPacket: OnPacket = (direction, packet) => {
    if (direction === 'sent') return
    for (const { body } of fromBinary(PacketSchema, packet).frames) {
      const action = body.case === 'room' ? body.value.action : undefined
      if (action?.case === 'joined' && action.value.address === 'room:acme/lounge') joined.resolve()
    }
  }
  await using client = await connect(`${hub.url}/acme/boiler`, { token: secret, onPacket })
  const messages = client.messages()
  await hub.json(['token', 'grant', id, '--room', 'lounge:receive'])
  await joined.promise
  await hub.json(['send', 'acme/lounge', 'welcome', '--token', lounge.secret])
  const { value: heard } = await messages.next()
  expect(heard).toMatchObject({ text: 'welcome', address: 'room:acme/lounge' })
  const refused = client.send('acme/lounge', 'thank you')
  await expect(refused).rejects.toMatchObject({ code: 'SEND_NOT_PERMITTED' })
})

describe('room create --lock', () => {
  const without = ['token', 'key', 'ssh-key', 'password', 'preset', 'cookie', 'knock', 'identity']
  test.each(without)('%s needs no options', async (acceptor) => {
    const address = `acme/by-${acceptor}`
    await hub.json(['room', 'create', address, '--lock', acceptor])
    const { next } = await hub.json<{ next: string[] }>(['lock', 'explain', address])
    expect(next).toEqual(acceptor === 'identity' ? ['ssh-key', 'token', 'key'] : [acceptor])
  })

  test.each([
    ['oidc', 'issuer'],
    ['header', 'name'],
    ['url', 'sha256'],
    ['webhook', 'url'],
    ['tty', 'prompts'],
  ])('%s says that it needs options, and where to write them', async (acceptor, option) => {
    const args = ['room', 'create', `acme/by-${acceptor}`, '--lock', acceptor, '--json']
    const { code, stderr } = await hub.run(args)
    expect(code).toBe(2)
    const { error } = JSON.parse(stderr)
    expect(error).toMatchObject({ code: 'CONFIG' })
    for (const word of [acceptor, option, '--config FILE']) expect(error.message).toContain(word)
    expect((await hub.run(['room', 'show', `acme/by-${acceptor}`])).code).toBe(1)
  })

  test('of an acceptor that is not there names those that are', async () => {
    const { code, stderr } = await hub.run(['room', 'create', 'acme/x', '--lock', 'sshkey'])
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('ssh-key') })
  })
})
