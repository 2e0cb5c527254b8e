/** A real OpenID provider lets a person in: at a terminal, by a token, and through the client. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { bearer, connect, deviceFlow, type Visit } from '../../clients/ts/src/index.ts'
import { OpenIdProvider } from '../support/openid-provider.ts'
import { RawWebSocket, TEXT } from '../support/raw-websocket.ts'
import { Visitor } from '../support/visitor.ts'
import { Hub } from './hub.ts'

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'
/** Of alice at whatever provider: its slug is a hash. */
const PERSON = /^client:acme\/oidc-[a-z2-7]{20}$/

let provider: OpenIdProvider
let hub: Hub
let token: string

beforeAll(async () => {
  hub = await Hub.start()
  const redirect_uris = [`http://127.0.0.1:${hub.port}/v1/login/callback`]
  provider = await OpenIdProvider.start([{ client_id: 'terminal', redirect_uris }])
  await hub.json(['account', 'create', 'acme'])
  const options = { issuer: provider.issuer, client_id: 'terminal', device: true }
  const flow = { lock: { acceptor: 'oidc', deadlineMs: 300_000, options } }
  await hub.room('acme/office', flow)
  token = await tokenOf('alice')
})
afterAll(async () => {
  await provider?.[Symbol.asyncDispose]()
  expect(await hub.stop()).toMatchObject({ code: 0, stderr: '' })
})

async function ask<T>(path: string, body: Record<string, string>): Promise<T> {
  const method = 'POST'
  const response = await fetch(`${provider.issuer}${path}`, {
    method,
    body: new URLSearchParams(body),
  })
  return (await response.json()) as T
}

/** An ID token that a program has got from the provider by itself. */
async function tokenOf(person: string): Promise<string> {
  const client_id = 'terminal'
  const begun = await ask<{ device_code: string; verification_uri_complete: string }>(
    '/device/auth',
    { client_id, scope: 'openid' },
  )
  await new Visitor(person).visit(begun.verification_uri_complete)
  const { device_code } = begun
  const grant = { client_id, device_code, grant_type: DEVICE_CODE }
  return (await ask<{ id_token: string }>('/token', grant)).id_token
}

describe('at a terminal', () => {
  test.each([
    ['connect', [], 'connected to room:acme/office'],
    ['listen', ['--count', '1'], 'listening acme/office'],
  ])('%s --device shows a page and a code, and is in once they were used', async (...it) => {
    const [verb, options, says] = it
    const running = hub.begin([verb, 'acme/office', '--device', ...options])
    onTestFinished(() => void running.process.kill('SIGKILL'))
    const shown = await running.says(/or open http\S+\n/, 'stderr')
    const [, page, code] = /open (http\S+) and type the code ([A-Z]{4}-[A-Z]{4})\n/.exec(shown)!
    expect(page).toBe(`${provider.issuer}/device`)
    const there = /or open (\S+)\n/.exec(shown)![1]!
    expect(there).toContain(code)
    expect((await new Visitor('alice').visit(there)).body).toContain('Sign-in Success')
    await running.says(says, 'stderr')
    await hub.json(['send', 'acme/office', 'good morning', '--bearer', token])
    await running.says('good morning')
    running.process.stdin.end()
    expect(await running.ended).toMatchObject({ code: 0 })
  })

  test('--bearer is in at once, and a token of nobody is not', async () => {
    const args = ['connect', 'acme/office', '--bearer']
    const talk = await hub.run([...args, token], { input: 'hi\n' })
    expect(talk).toMatchObject({ code: 0, stdout: expect.stringContaining('VOID') })
    const inEnvironment = { env: { PORTHOUSE_BEARER: token } }
    expect(await hub.run(['connect', 'acme/office'], inEnvironment)).toMatchObject({ code: 0 })
    const [head, body, signature] = token.split('.')
    const alg = Buffer.from('{"alg":"none"}').toString('base64url')
    for (const forged of [`${alg}.${body}.`, `${alg}.${body}.${signature}`, `${head}.${body}.AA`]) {
      const { code, stderr } = await hub.run([...args, forged])
      expect({ code, stderr }).toMatchObject({
        code: 3,
        stderr: expect.stringContaining('UNAUTHENTICATED'),
      })
      expect(stderr).not.toContain(forged)
    }
  })

  test('without any of them it says what the room asks for', async () => {
    const { code, stderr } = await hub.run(['connect', 'acme/office'])
    expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining('oidc') })
  })
})

test('a person at the teleprinter types device, and is in', async () => {
  const socket = await RawWebSocket.open(hub.port, { path: '/acme/office', protocol: null })
  onTestFinished(() => socket.reset())
  const see = async (what: RegExp) => {
    let text = ''
    while (!what.test(text)) text += await socket.next(TEXT)
    return text
  }
  expect(await see(/oidc: $/)).toContain('Type device to log in on a page elsewhere')
  socket.send(TEXT, 'device\n')
  const shown = await see(/or at once: \S+\r?\n/)
  await new Visitor('alice').visit(/or at once: (\S+)/.exec(shown)![1]!)
  await see(/You are in room:acme\/office/)
})

describe('through the client', () => {
  const passed = async (locks: Parameters<typeof connect>[1] & object) => {
    const proved: string[] = []
    const client = await connect(`${hub.url}/acme/office`, {
      ...locks,
      onStep: (step) => {
        if (step.kind === 'verdict') proved.push(step.verdict.values.client ?? '')
      },
    })
    expect(client.entered).toMatchObject({ maySend: true, listening: true })
    await client.close()
    return proved
  }

  test('a token and a device prove the same person', async () => {
    const byToken = await passed({ locks: [bearer(() => token)] })
    expect(byToken).toEqual([expect.stringMatching(PERSON)])
    const visits: Visit[] = []
    const onVisit = (visit: Visit) => {
      visits.push(visit)
      void new Visitor('alice').visit(visit.completeUrl)
    }
    expect(await passed({ locks: [deviceFlow({ onVisit })] })).toEqual(byToken)
    expect(visits).toHaveLength(1)
    expect(visits[0]!.signal.aborted).toBe(true)
  })

  test('the person is a client of the account from then on', async () => {
    const clients = await hub.json<{ address: string }[]>(['client', 'list', 'acme'])
    expect(clients.map(({ address }) => address)).toEqual([expect.stringMatching(PERSON)])
    const name = clients[0]!.address.replace('client:', '')
    await hub.json(['client', 'grant', name, '--room', 'office:receive'])
    // What he may do is now his own, not a visitor's.
    const sent = await hub.run(['send', 'acme/office', 'hi', '--bearer', token, '--json'])
    expect(JSON.parse(sent.stdout)).toMatchObject({ code: 'SEND_NOT_PERMITTED' })
  })
})
