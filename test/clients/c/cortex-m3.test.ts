/**
 * The core on a microcontroller: what it takes of it, and an emulated one that gets through a lock
 * within a lock of a real gateway.
 */
import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonObject } from '@bufbuild/protobuf'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, preset, token } from '../../../clients/ts/src/index.ts'
import { TestGateway } from '../../support/gateway.ts'
import { root } from '../../tidy/root.ts'
import { run, source } from './build.ts'
import { emulated } from './wired.ts'

const CODE_BYTES_MAX = 12 * 1024
const STATE_BYTES_MAX = 1536

const folder = join(root, '.tools/c/cortex-m3')
let hub: TestGateway

beforeAll(async () => {
  const project = join(source, 'cortex-m3')
  await mkdir(folder, { recursive: true })
  const toolchain = `-DCMAKE_TOOLCHAIN_FILE=${join(project, 'toolchain.cmake')}`
  await run('cmake', ['-G', 'Ninja', '-S', project, '-B', folder, toolchain])
  await run('cmake', ['--build', folder])
  hub = await TestGateway.start()
}, 300_000)
afterAll(() => hub?.stop())

interface Size {
  readonly code: number
  readonly state: number
}

/** Constants are text as well; the programs' own table of functions is data. */
async function size(program: string): Promise<Size> {
  const { stdout } = await run('arm-none-eabi-size', [join(folder, program)])
  const [text, , bss] = stdout.split('\n')[1]?.trim().split(/\s+/).map(Number) ?? []
  return { code: Number(text), state: Number(bss) }
}

test('has a place on a Cortex-M3', async () => {
  const [whole, rest] = [await size('with-core'), await size('without-core')]
  const code = whole.code - rest.code
  const state = whole.state - rest.state
  process.stdout.write(`C core on a Cortex-M3: code ${code} bytes, state ${state} bytes\n`)
  expect(code).toBeLessThanOrEqual(CODE_BYTES_MAX)
  expect(state).toBeLessThanOrEqual(STATE_BYTES_MAX)
})

const PRESET = 'known-beforehand'

const lock = (acceptor: string, options: JsonObject = {}) => ({ lock: { acceptor, options } })

/** Who comes has to be somebody, and for that asks two things of him, one within the other. */
const VAULT = {
  case: 'access',
  value: {
    locks: [],
    flow: {
      kind: {
        case: 'lock',
        value: {
          acceptor: 'identity',
          options: {
            by: {
              all: {
                flows: [
                  lock('preset', {
                    challenge: 'who is there?',
                    response_sha256: createHash('sha256').update(PRESET).digest('hex'),
                  }),
                  lock('token'),
                ],
              },
            },
          },
        },
      },
    },
  },
} as never

test('answers a lock within a lock, emulated, of a real gateway', { timeout: 60_000 }, async () => {
  await hub.room('acme/vault', [VAULT])
  const pump = await hub.token('acme', ['vault'], { client: 'pump' })
  const anna = await hub.token('acme', ['vault'], { client: 'anna' })
  const guard = await connect(hub.url, { locks: [token(anna), preset(PRESET)] })
  const vault = await guard.join('acme/vault')
  const messages = vault.messages()

  const device = emulated(hub.url, join(folder, 'device'), ['room:acme/vault', pump, PRESET])
  try {
    const { value: message } = await messages.next()
    expect(message).toMatchObject({ from: 'client:acme/pump', text: 'a Cortex-M3 is here' })
    await vault.send('stop')
    expect(await device.ended()).toBe(0)
  } finally {
    device.stop()
    await guard.close()
  }
  expect(device.printed.split('\n')).toEqual([
    'preset asks at depth 3',
    'a lock passed',
    'token asks at depth 2',
    'a lock passed',
    'a lock passed',
    'in room:acme/vault',
    'heard',
    'ended by itself',
    '',
  ])
})
