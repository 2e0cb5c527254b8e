import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isPassword, type PasswordData } from '../../gateway/identity/passwords.ts'
import { isResponse, type PresetData } from '../../gateway/identity/presets.ts'
import type { Credential } from '../../gateway/store/store.ts'
import { DataFolder, json, porthouse } from './process.ts'

interface Client {
  id: string
  keys: { id: string; kind: string; fingerprint?: string }[]
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

/** Path of a new private key; the public one has `.pub` behind it. */
function sshKey(name: string, type = 'ed25519', ...more: string[]): string {
  const file = join(data.path, name)
  const args = ['-q', '-t', type, '-N', '', '-C', `${name}@desk`, '-f', file, ...more]
  execFileSync('ssh-keygen', args)
  return file
}

function credentialsOf(client: string): Promise<Credential[]> {
  return data.store.credentials.list('acme', client)
}

describe('client', () => {
  it('is created with an SSH key and rights by one command', async () => {
    const file = sshKey('bob')
    const print = execFileSync('ssh-keygen', ['-lf', `${file}.pub`], { encoding: 'utf8' })
    const args = ['client', 'create', 'acme/bob', '--ssh-key', `${file}.pub`]
    const made = await json<Client>([...args, '--room', 'boiler:send,receive'], { env })
    expect(made).toMatchObject({
      address: 'client:acme/bob',
      rooms: [{ room: 'boiler', send: true, receive: true }],
      keys: [{ kind: 'ssh-key', label: 'bob@desk', fingerprint: print.split(' ')[1] }],
    })
    expect(await json(['client', 'show', 'acme/bob'], { env })).toEqual(made)
    const { keys, ...listed } = made
    expect(await json(['client', 'list', 'acme'], { env })).toEqual([listed])
    const table = await porthouse(['client', 'show', made.id.replace(/^/, 'acme/')], { env })
    expect(table.stdout).toContain(keys[0]!.fingerprint)
    await json(['client', 'delete', 'acme/bob'], { env })
    expect(await data.store.clients.find('acme', 'bob')).toBeUndefined()
    expect(await data.store.credentials.find(keys[0]!.id)).toBeUndefined()
  })

  it('has the rights that were typed, with channels, and no others', async () => {
    const rooms = ['--room', 'boiler:send:log,alarm/**', '--room', 'acme/lounge:receive,admit']
    const made = await json(['client', 'create', 'acme/rights', ...rooms], { env })
    expect(made).toMatchObject({
      rooms: [
        { room: 'boiler', send: true, receive: false, channels: ['alarm/**', 'log'] },
        { room: 'lounge', send: false, receive: true, admit: true },
      ],
    })
  })

  it('is given rights and has them taken, each time with the rest left as it was', async () => {
    const name = 'acme/changing'
    await json(['client', 'create', name, '--room', 'boiler:send:log'], { env })
    await json(['client', 'grant', name, '--room', 'boiler:receive'], { env })
    await json(['client', 'grant', name, '--room', 'lounge:send'], { env })
    const grants = async () =>
      (await data.store.clients.find('acme', 'changing'))!.grants.map(
        ({ room, send, receive, channels }) => ({ room, send, receive, channels }),
      )
    expect(await grants()).toEqual([
      // A right to send on one channel is none to send on those that may be heard.
      { room: 'boiler', send: true, receive: false, channels: ['log'] },
      { room: 'boiler', send: false, receive: true, channels: [] },
      { room: 'lounge', send: true, receive: false, channels: [] },
    ])
    const taken = await porthouse(['client', 'revoke-room', name, 'boiler'], { env })
    expect(taken.stdout).toBe('client acme/changing may now: lounge:send\n')
    const again = await porthouse(['client', 'revoke-room', name, 'boiler'], { env })
    expect(again).toMatchObject({ code: 1, stdout: '' })
    expect(await grants()).toHaveLength(1)
  })

  it('keeps of a password what checks it, and prints nothing of it', async () => {
    const input = 'correct horse\n'
    const args = ['client', 'create', 'acme/carl', '--password-stdin', '--max-sockets', '1']
    const { stdout, stderr } = await porthouse([...args, '--json'], { env, input })
    expect(stdout + stderr).not.toMatch(/horse|hash|salt/)
    expect(JSON.parse(stdout)).toMatchObject({ maxSockets: 1, keys: [{ kind: 'password' }] })
    const [kept] = await credentialsOf('carl')
    const password = kept!.data as unknown as PasswordData
    expect(await isPassword('correct horse', password)).toBe(true)
    expect(JSON.stringify(kept)).not.toContain('horse')
  })

  it('has one password: a new one takes the place of the old', async () => {
    await json(['client', 'create', 'acme/dora', '--password-stdin'], { env, input: 'old' })
    await json(['client', 'key', 'add', 'acme/dora', '--password-stdin'], { env, input: 'new' })
    const kept = await credentialsOf('dora')
    expect(kept).toHaveLength(1)
    expect(await isPassword('new', kept[0]!.data as unknown as PasswordData)).toBe(true)
  })

  it('has a preset from stdin, of any bytes, or from the command line', async () => {
    const response = Buffer.from([0, 0xff, 0x3a, 0x0a, 7])
    const input = Buffer.concat([Buffer.from('who:'), response])
    await json(['client', 'create', 'acme/device', '--preset', '-'], { env, input })
    const [first] = await credentialsOf('device')
    const preset = first!.data as unknown as PresetData
    expect(Buffer.from(preset.challenge, 'base64').toString()).toBe('who')
    expect(isResponse(response, preset)).toBe(true)
    const typed = ['client', 'key', 'add', 'acme/device', '--preset', 'who:it is I']
    const { stdout } = await porthouse(typed, { env })
    expect(stdout).not.toContain('it is I')
    const [second, ...more] = await credentialsOf('device')
    expect(isResponse(Buffer.from('it is I'), second!.data as unknown as PresetData)).toBe(true)
    expect(more).toEqual([])
  })

  it('is given keys and has them removed; the same key twice is told', async () => {
    const file = sshKey('spare', 'ecdsa')
    await json(['client', 'create', 'acme/erik'], { env })
    const add = ['client', 'key', 'add', 'acme/erik', '--ssh-key', `${file}.pub`]
    const [key] = await json<Client['keys']>(add, { env })
    const twice = await porthouse([...add, '--json'], { env })
    expect(twice).toMatchObject({ code: 1, stdout: '' })
    expect(JSON.parse(twice.stderr)).toMatchObject({ error: { code: 'EXISTS' } })
    expect(await json(['client', 'key', 'list', 'acme/erik'], { env })).toEqual([key])
    const other = await porthouse(['client', 'key', 'remove', 'acme/carl', key!.id], { env })
    expect(other.code).toBe(1)
    await json(['client', 'key', 'remove', 'acme/erik', key!.id], { env })
    expect(await credentialsOf('erik')).toEqual([])
  })

  it('is not made at all where one of its keys is no good', async () => {
    const file = sshKey('twin')
    const pub = `${file}.pub`
    const args = ['client', 'create', 'acme/half', '--ssh-key', pub, '--ssh-key', pub]
    const { code } = await porthouse(args, { env })
    expect(code).toBe(1)
    expect(await data.store.clients.find('acme', 'half')).toBeUndefined()
  })

  it('that is there, or is not, or has rooms that are not, is told of', async () => {
    await json(['client', 'create', 'acme/fay'], { env })
    const twice = await porthouse(['client', 'create', 'acme/fay', '--json'], { env })
    expect(JSON.parse(twice.stderr)).toMatchObject({ error: { code: 'EXISTS' } })
    const none = await porthouse(['client', 'show', 'acme/nobody'], { env })
    expect(none).toMatchObject({ code: 1, stdout: '' })
    expect(none.stderr).toContain('make it with: porthouse client create acme/nobody')
    const room = await porthouse(['client', 'grant', 'acme/fay', '--room', 'attic:send'], { env })
    expect(room.stderr).toContain('porthouse room create acme/attic')
    const foreign = ['client', 'grant', 'acme/fay', '--room', 'other/boiler:send']
    expect(await porthouse(foreign, { env })).toMatchObject({ code: 2 })
  })
})

describe('what is no public key', () => {
  it('is refused with the reason, and nothing of it is printed', async () => {
    const weak = sshKey('weak', 'rsa', '-b', '1024')
    const twoKeys = join(data.path, 'two.pub')
    const line = execFileSync('cat', [`${sshKey('one')}.pub`], { encoding: 'utf8' })
    writeFileSync(twoKeys, line + line)
    const options = join(data.path, 'options.pub')
    writeFileSync(options, `command="rm" ${line}`)
    const big = join(data.path, 'big.pub')
    writeFileSync(big, 'x'.repeat(1 << 20))
    const files = [
      [join(data.path, 'one'), 'private key'],
      [`${weak}.pub`, '2,048'],
      [twoKeys, 'more than one line'],
      [options, 'without options'],
      [big, 'too long'],
      [data.path, 'is not a public key'],
      [join(data.path, 'none.pub'), 'ENOENT'],
    ] as const
    for (const [file, reason] of files) {
      const args = ['client', 'create', 'acme/gus', '--ssh-key', file]
      const { code, stderr } = await porthouse(args, { env })
      expect({ file, code, told: stderr.includes(reason) }).toEqual({ file, code: 2, told: true })
      expect(stderr).not.toContain('OPENSSH')
    }
    expect(await data.store.clients.find('acme', 'gus')).toBeUndefined()
  })
})

describe('what is no password or preset', () => {
  it.each([
    ['--password-stdin', '', 'empty'],
    ['--password-stdin', '\n', 'empty'],
    ['--password-stdin', 'a\0b', 'NUL'],
    ['--password-stdin', 'x'.repeat(1025), '1,024 bytes'],
    ['--password-stdin', Buffer.from([0x61, 0xff]), 'not UTF-8'],
    ['--preset=-', 'no-colon-here', 'CHALLENGE:RESPONSE'],
    ['--preset=-', ':answer-only', 'empty'],
    ['--preset=-', 'question-only:\n', 'empty'],
    ['--preset=-', `q:${'x'.repeat(1025)}`, '1,024 bytes'],
  ])('%s < %j is refused and not repeated', async (option, input, reason) => {
    const args = ['client', 'create', 'acme/hal', option]
    const { code, stdout, stderr } = await porthouse(args, { env, input })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(reason)
    expect(stderr).not.toMatch(/no-colon|answer-only|question-only|xxxxxx/)
  })

  it('is refused where it does not end', async () => {
    const args = ['client', 'create', 'acme/hal', '--password-stdin']
    const { code, stderr } = await porthouse(args, { env, input: 'x'.repeat(1 << 20) })
    expect(code).not.toBe(0)
    expect(stderr).not.toContain('xxxxxx')
  })
})
