/** `porthouse why`: a dropped message is explained in one reading, with the next step (R49). */
import { create } from '@bufbuild/protobuf'
import { EchoSchema } from '@porthouse/proto/room/v1/echo'
import { LimitsSchema } from '@porthouse/proto/room/v1/limits'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestGateway } from '../support/gateway.ts'
import { json, porthouse, type RunOptions } from './process.ts'

let gateway: TestGateway
let token: string
let tokenId: string
let at: RunOptions

beforeAll(async () => {
  gateway = await TestGateway.start()
  const echo = { case: 'echo', value: create(EchoSchema) } as const
  const limits = { case: 'limits', value: create(LimitsSchema, { payloadBytes: 8 }) } as const
  await gateway.room('acme/hall', [echo, limits])
  token = await gateway.token('acme', ['hall'])
  tokenId = (await gateway.store.tokens.list('acme'))[0]!.id
  const secret = await gateway.operatorKey()
  at = { env: { PORTHOUSE_URL: gateway.url, PORTHOUSE_API_KEY: secret } }
})
afterAll(() => gateway.stop())

interface Receipt {
  readonly id: string
  readonly status: string
}

/** Sends, and gives the id that the receipt has. */
async function sent(text: string): Promise<string> {
  const args = ['send', 'acme/hall', text, '--token', token, '--json']
  const { stdout } = await porthouse(args, at)
  return (JSON.parse(stdout) as Receipt).id
}

async function why(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await porthouse(['why', ...args], at)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

describe('of a message that was dropped', () => {
  it('it says what, where, by which line of the config, and what to do', async () => {
    const told = await why(await sent('longer than eight'))
    const line = 'config room:acme/hall blocks[1].limits.payloadBytes'
    expect(told).toContain('of 17 bytes from socket:')
    expect(told).toContain('refused at permit, room:acme/hall: PAYLOAD_TOO_LARGE: over 8 bytes')
    expect(told).toContain(`decided by  ${line}: 8`)
    expect(told).toContain('next step   porthouse room config show acme/hall')
  })

  it('or why nobody was there', async () => {
    const told = await why(await sent('hi'))
    expect(told).toContain('void at send, room:acme/hall: nobody else is in the room')
    expect(told).toContain('next step   porthouse listen acme/hall')
    expect(told).toContain(`grant token:${tokenId} room:acme/hall`)
  })

  it('and the receipt for a person names the command', async () => {
    const args = ['send', 'acme/hall', 'longer than eight', '--token', token]
    expect((await porthouse(args, at)).stdout).toMatch(/^REJECTED .*; porthouse why [\da-f-]{36}$/m)
  })
})

describe('of one that is not sent yet', () => {
  it('it says what would become of it', async () => {
    const told = await why('--send', 'acme/hall', '--token-id', tokenId, '--bytes', '9')
    expect(told).toMatch(/^a message of 9 bytes, if it were sent now\n/)
    expect(told).toContain('decided by  config room:acme/hall blocks[1].limits.payloadBytes: 8')
  })

  it('by nobody, what it would have to prove', async () => {
    const told = await why('--send', 'acme/hall', '--text', 'hi')
    expect(told).toContain('UNAUTHENTICATED: it would wait at a lock first: token')
  })

  it('as JSON, for scripts', async () => {
    const args = ['why', '--send', 'acme/hall', '--token-id', tokenId, '--text', 'hi']
    const answer = await json<{ status: string; trail: { steps: { step: string }[] } }>(args, at)
    expect(answer.status).toBe('RECEIPT_STATUS_VOID')
    expect(answer.trail.steps.map(({ step }) => step)).toEqual(
      ['SCAN', 'ENTER', 'RESOLVE', 'PERMIT', 'FIT', 'SEND'].map((each) => `STEP_${each}`),
    )
  })
})

it('an id that is none, or of no message, fails and says so', async () => {
  expect((await porthouse(['why'], at)).code).toBe(2)
  expect((await porthouse(['why', 'x'], at)).stderr).toMatch(/not given by its id/)
  const never = '0190f3a4-0000-7000-8000-000000000000'
  const { code, stderr } = await porthouse(['why', never], at)
  expect(code).not.toBe(0)
  expect(stderr).toContain(`there is no message ${never} that is known`)
})
