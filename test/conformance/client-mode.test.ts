/** Clients under test as processes: those that do their part, and those that do not. */
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { create, fromJson, type JsonObject, toBinary } from '@bufbuild/protobuf'
import { ClientCaseSchema } from '@porthouse/proto/conformance/v1/client_suite'
import { ClientHelloSchema } from '@porthouse/proto/conformance/v1/peer'
import { Transport } from '@porthouse/proto/conformance/v1/transport'
import { afterEach, expect, test } from 'vitest'
import { ClientProcess } from '../../conformance/runner/client/client-process.ts'
import { runCase } from '../../conformance/runner/client/run-case.ts'

const root = resolve(import.meta.dirname, '../..')
const typescript = `${process.execPath} ${root}/conformance/peers/ts/peer.ts`

let client: ClientProcess
afterEach(() => client?.kill())

/** A program that says that it is a client, and then does this. */
function pretender(does: string): string {
  const hello = create(ClientHelloSchema, { name: 'p', transports: [Transport.WEBSOCKET] })
  const bytes = Buffer.from(toBinary(ClientHelloSchema, hello))
  const framed = Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]).toString('base64')
  return `${process.execPath} -e "process.stdout.write(Buffer.from('${framed}','base64'));${does}"`
}

async function failuresOf(command: string, theCase: JsonObject): Promise<readonly string[]> {
  client = await ClientProcess.start(command)
  const one = fromJson(ClientCaseSchema, theCase)
  const run = { name: 'a case', case: one, transport: Transport.WEBSOCKET }
  return (await runCase(client, run, 300)).failures
}

const connects = { client: [{ connect: { token: 'a-secret' }, withinMs: 2000 }] }

test('a client that does what it is told passes', async () => {
  expect(await failuresOf(typescript, { ...connects, outcomes: [{ done: {} }] })).toEqual([])
  expect(client.isAlive).toBe(true)
})

test('one that tells something else, or leaves the script waiting, fails', async () => {
  const gateway = [{ take: { room: { join: {} } } }]
  const outcomes = [{ failure: { code: 'CODE_UNAUTHENTICATED' } }]
  expect(await failuresOf(typescript, { ...connects, gateway, outcomes })).toEqual([
    expect.stringMatching(/^action 1: connect.failure is absent/),
    expect.stringMatching(/^step 2 of the gateway waits: .*join/),
  ])
})

test('one that says nothing any more is ended, and its case fails', async () => {
  const silent = pretender('process.stdin.resume()')
  const actions = { client: [{ close: {}, withinMs: 100 }] }
  expect(await failuresOf(silent, actions)).toContain('the peer said nothing for 400 ms')
  expect(client.isAlive).toBe(false)
})

test('one that ends in the middle of a case fails it', async () => {
  const mortal = pretender("process.stdin.once('data',()=>process.exit(3))")
  expect(await failuresOf(mortal, connects)).toContain('the peer ended')
})

test('a command that is no client says why', async () => {
  const broken = ClientProcess.start('echo no such client >&2; exit 1')
  await expect(broken).rejects.toThrow(/the peer ended\nno such client/)
})

test('the runner tells of the TypeScript client that it does what locks ask for', async () => {
  const runner = resolve(root, 'conformance/runner/main.ts')
  const args = [runner, '--client', typescript, '--at-once', '2']
  args.push('--case', 'client-locks/*/websocket')
  const { stdout } = await promisify(execFile)(process.execPath, args)
  expect(stdout).toMatch(/porthouse-ts +(\d+)\/\1 /)
})
