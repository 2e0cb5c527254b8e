/** ssh-keygen makes a key, one command registers it, `porthouse connect` enters with it. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { SshKeygen } from '../support/ssh-keygen.ts'
import { Hub } from './hub.ts'

let hub: Hub
let keygen: SshKeygen

beforeAll(async () => {
  keygen = new SshKeygen()
  hub = await Hub.start()
  await hub.json(['account', 'create', 'acme'])
  await hub.json(['room', 'create', 'acme/plant', '--lock', 'ssh-key'])
  await hub.room('acme/nested', {
    lock: { acceptor: 'identity', options: { by: { lock: { acceptor: 'ssh-key' } } } },
  })
})
afterAll(async () => {
  keygen[Symbol.dispose]()
  expect(await hub.stop()).toMatchObject({ code: 0, stderr: '' })
})

const rights = ['--room', 'plant:send,receive', '--room', 'nested:send,receive']

/** The one command. */
function register(client: string, publicKey: string): Promise<unknown> {
  return hub.json(['client', 'create', `acme/${client}`, '--ssh-key', publicKey, ...rights])
}

describe('a key of ssh-keygen enters', () => {
  test.each([
    ['ed25519', []],
    ['rsa', ['-b', '3072']],
    ['ecdsa', ['-b', '256']],
    ['ecdsa', ['-b', '521']],
  ])('%s %j', async (kind, options) => {
    const { file } = keygen.make(kind, ...options)
    const client = [kind, ...options.slice(1)].join('-')
    await register(client, `${file}.pub`)
    const as = ['--as', client, '--ssh-key', file]
    const talk = await hub.run(['connect', 'acme/plant', ...as], { input: 'hi\n' })
    expect(talk).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^VOID nobody was there to hear it; porthouse why [0-9a-f-]{36}\n$/,
      ),
      stderr: `connected to room:acme/plant as client:acme/${client}\n`,
    })
  })

  test('that is encrypted, by an agent', async () => {
    const { file } = keygen.make('ed25519')
    await register('sealed', `${file}.pub`)
    const socket = hub.file('agent')
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] })
    onTestFinished(() => void agent.kill())
    await once(agent.stdout, 'data')
    const env = { SSH_AUTH_SOCK: socket }
    keygen.run('-q', '-p', '-P', '', '-N', 'open, sesame', '-f', file)
    // OpenSSH asks whom SSH_ASKPASS names where no terminal is there to be asked.
    const asked = { SSH_ASKPASS: askpass('open, sesame'), SSH_ASKPASS_REQUIRE: 'force' }
    execFileSync('ssh-add', ['-q', file], { env: { ...process.env, ...env, ...asked } })
    const as = ['--as', 'sealed', '--ssh-agent']
    const talk = await hub.run(['connect', 'acme/plant', ...as], { env })
    expect(talk).toMatchObject({
      code: 0,
      stderr: 'connected to room:acme/plant as client:acme/sealed\n',
    })
  })
})

function askpass(word: string): string {
  const file = hub.file('askpass')
  writeFileSync(file, `#!/bin/sh\necho '${word}'\n`, { mode: 0o700 })
  return file
}

test('a key that nobody has registered, or of somebody else, does not', async () => {
  const [owned, strange] = [keygen.make('ed25519'), keygen.make('ed25519')]
  await register('owner', `${owned.file}.pub`)
  for (const [as, file] of [
    ['owner', strange.file],
    ['ed25519', owned.file],
    ['nobody', owned.file],
  ] as const) {
    const { code, stderr } = await hub.run(['connect', 'acme/plant', '--as', as, '--ssh-key', file])
    expect({ as, code }).toEqual({ as, code: 3 })
    expect(stderr).toMatch(/^porthouse: UNAUTHENTICATED: /)
  }
})

test('a nested flow unwinds in one cycle, shown frame by frame', async () => {
  const { file } = keygen.make('ed25519')
  await register('nester', `${file}.pub`)
  const args = ['connect', 'acme/nested', '--as', 'nester', '--ssh-key', file, '--trace']
  const { code, stderr } = await hub.run(args)
  expect(code).toBe(0)
  const packets = packetsOf(stderr)
  const [asked, answered, unwound] = ['challenge', 'answer', 'joined room:acme/nested'].map(
    (kind) => packets.filter((packet) => packet.some((line) => line.startsWith(`${kind} `))),
  )
  // Room, then identity, then the SSH key, which is therefore the second on the stack. What the URL
  // leads to may be asked before Hello has come, or with the answer to it.
  const challenges = asked!.flat().filter((line) => line.startsWith('challenge '))
  expect(challenges).toEqual([expect.stringMatching(/ ssh-key for room:acme\/nested depth 2 /)])
  expect(answered).toEqual([[expect.stringMatching(/ ssh-key signature of client:acme\/nester /)]])
  expect(unwound).toEqual([
    [
      expect.stringMatching(/^verdict #\d+ lock:\w+ PASSED client=client:acme\/nester$/),
      expect.stringMatching(/^verdict lock:\w+ PASSED client=client:acme\/nester$/),
      expect.stringMatching(/^resume \*\*\* /),
      expect.stringMatching(/^joined room:acme\/nested route \d+ may send listening$/),
    ],
  ])
})

/** The lines of --trace by packet, without their arrows. */
function packetsOf(trace: string): string[][] {
  const packets: string[][] = []
  for (const [, line = ''] of trace.matchAll(/^[→←] +(.*)$/gm)) {
    if (line.startsWith('packet of ')) packets.push([])
    else packets.at(-1)?.push(line)
  }
  return packets
}
