/** The examples beside the methods of the live services do what they say, as they stand. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SocketService } from '@porthouse/proto/admin/v1/socket_service'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminClient } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'
import { inside } from '../support/inside.ts'
import { root } from '../tidy/root.ts'

let gateway: TestGateway
let key: string

beforeAll(async () => {
  gateway = await TestGateway.start()
  const groups = { case: 'groups', value: { groups: [{ name: 'workers' }] } } as never
  await gateway.room('acme/boiler', [groups])
  await gateway.store.clients.create({ account: 'acme', slug: 'pump', grants: [] })
  key = await gateway.operatorKey()
})
afterAll(() => gateway.stop())

interface Example {
  readonly method: string
  readonly script: string
}

/** What stands indented in the comment before each method of a file. */
function examplesIn(file: string): Example[] {
  const text = readFileSync(join(root, 'proto/porthouse/admin/v1', file), 'utf8')
  const blocks = [...text.matchAll(/((?: {2}\/\/.*\n)+) {2}rpc (\w+)/g)]
  return blocks.map(([, comment = '', method = '']) => {
    const lines = comment.split('\n').filter((line) => line.startsWith('  //     '))
    return { method, script: lines.map((line) => line.slice('  //     '.length)).join('\n') }
  })
}

const STREAM_SECONDS = '1'
/** What curl ends with when its time is over. */
const TIMED_OUT = 28

async function run({ method, script }: Example): Promise<string> {
  const token = await gateway.token('acme', ['boiler'], { client: 'pump' })
  const { name, socket } = await inside(gateway, token, 'acme/boiler')
  const sockets = adminClient(SocketService, gateway, key)
  const { identities } = await sockets.getSocket({ name })
  const ofToken = identities[0]?.token.split('/').at(-1)
  const filled = script
    .replace('sockets/ID', name)
    .replace('tokens/ID', `tokens/${ofToken}`)
    .replaceAll('curl ', method.startsWith('Watch') ? `curl -m ${STREAM_SECONDS} ` : 'curl -s ')
  const env = { ...process.env, KEY: key, URL: `http://127.0.0.1:${gateway.port}` }
  try {
    const { stdout } = await promisify(execFile)('sh', ['-c', filled], { env })
    return stdout
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string }
    if (code !== TIMED_OUT) throw error
    return stdout
  } finally {
    socket.reset()
  }
}

describe.each([
  'socket_service.proto',
  'graph_service.proto',
  'technical_service.proto',
  'stats_service.proto',
  'server_service.proto',
])('%s', (file) => {
  test.each(examplesIn(file))('$method', async (example) => {
    expect(example.script).toContain('curl')
    const said = await run(example)
    expect(said).toContain('{')
    expect(said).not.toMatch(/"code":"[a-z_]+"/)
  })
})
