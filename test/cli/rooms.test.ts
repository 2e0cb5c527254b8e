import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DataFolder, json, porthouse } from './process.ts'

let data: DataFolder
let env: Record<string, string>
beforeAll(async () => {
  data = await DataFolder.served()
  env = data.env
  await data.store.accounts.create({ slug: 'acme' })
})
afterAll(() => data.close())

const SECRET = `whsec_${'c2VjcmV0'.repeat(5)}`
const webhook = { url: 'https://door.example/decide', secret: SECRET }

/** Path of a config whose flow is a webhook and one of two others. */
function flowFile(name: string, options: object = webhook): string {
  const file = join(data.path, name)
  const flow = {
    all: {
      flows: [
        { lock: { acceptor: 'webhook', tries: 2, deadlineMs: 5000, options } },
        { any: { flows: [{ lock: { acceptor: 'ssh-key' } }, { lock: { acceptor: 'token' } }] } },
      ],
    },
  }
  writeFileSync(file, JSON.stringify({ blocks: [{ access: { flow } }] }))
  return file
}

describe('room create', () => {
  it('takes the locks of --lock, all of them, in order', async () => {
    const args = ['room', 'create', 'acme/vault', '--lock', 'token', 'ssh-key']
    expect(await json(args, { env })).toMatchObject({
      config: { blocks: [{ access: { locks: ['token', 'ssh-key'] } }] },
    })
    const one = await porthouse(['room', 'create', 'acme/safe', '--lock', 'ssh-key'], { env })
    expect(one.stdout).toBe(
      'room acme/safe is made; give it a client:\n' +
        '  porthouse client create acme/CLIENT --ssh-key FILE.pub --room safe:send,receive\n',
    )
  })

  it('says what is wrong with a lock, and makes nothing', async () => {
    for (const [lock, words] of [
      ['tokn', 'no acceptor tokn; known: '],
      // It has options that must be given, and those need a file.
      ['webhook', 'webhook: options.url'],
    ] as const) {
      const { code, stderr } = await porthouse(['room', 'create', 'acme/x', '--lock', lock], {
        env,
      })
      expect({ code, told: stderr.includes(words) }).toEqual({ code: 2, told: true })
    }
    expect(await data.store.rooms.find('acme', 'x')).toBeUndefined()
  })

  it('is refused a flow that no gateway could run', async () => {
    const file = join(data.path, 'wrong-flow.json')
    const deep = (left: number): object =>
      left > 0 ? { all: { flows: [deep(left - 1)] } } : { lock: { acceptor: 'token' } }
    const many = { all: { flows: Array(1000).fill({ lock: { acceptor: 'token' } }) } }
    const self = {
      lock: { acceptor: 'identity', options: { by: { lock: { acceptor: 'identity' } } } },
    }
    for (const [access, words] of [
      [{ flow: deep(6) }, 'nested over 4 deep'],
      [{ flow: deep(1000) }, 'is not a room'],
      [{ flow: many }, 'over 16 locks'],
      [{ flow: self }, 'identity'],
      [{ flow: { any: { flows: [] } } }, 'empty'],
      [{ locks: ['token'], flow: deep(0) }, 'both'],
      [{ flow: { lock: { acceptor: 'token', options: { colour: 'red' } } } }, 'colour'],
      [{ flow: { lock: { acceptor: 'token', deadlineMs: 600_001 } } }, '600000'],
    ] as const) {
      writeFileSync(file, JSON.stringify({ blocks: [{ access }] }))
      const { code, stderr } = await porthouse(['room', 'create', 'acme/y', '--config', file], {
        env,
      })
      expect({ words, code, told: stderr.includes(words) }).toEqual({ words, code: 2, told: true })
    }
  })
})

describe('secrets in a config', () => {
  it('are masked wherever it is shown, and shown where --reveal asks for them', async () => {
    const made = await porthouse(
      ['room', 'create', 'acme/door', '--config', flowFile('door.json'), '--json'],
      { env },
    )
    expect(made.code).toBe(0)
    const shown = [made]
    for (const args of [
      ['show', 'acme/door'],
      ['show', 'acme/door', '--json'],
      ['list', 'acme', '--json'],
      ['config', 'show', 'acme/door'],
      ['config', 'show', 'acme/door', '--json'],
    ]) {
      shown.push(await porthouse(['room', ...args], { env }))
    }
    for (const { stdout, stderr } of shown) {
      expect(stdout + stderr).not.toContain(SECRET)
      expect(stdout).toContain('door.example')
      expect(stdout).toContain('***')
    }
    const revealed = await porthouse(['room', 'config', 'show', 'acme/door', '--reveal'], { env })
    expect(revealed.stdout).toContain(SECRET)
    const room = await porthouse(['room', 'show', 'acme/door', '--reveal', '--json'], { env })
    expect(room.stdout).toContain(SECRET)
  })

  it('are not lost by setting a config that was shown', async () => {
    const file = flowFile('hall.json', {
      ...webhook,
      url: 'https://hall.example/decide',
    })
    await json(['room', 'create', 'acme/hall', '--config', file], { env })
    const set = ['room', 'config', 'set', 'acme/hall', '-']
    const masked = await porthouse(['room', 'config', 'show', 'acme/hall'], { env })
    const refused = await porthouse(set, { env, input: masked.stdout })
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toContain('--reveal')
    const whole = await porthouse(['room', 'config', 'show', 'acme/hall', '--reveal'], { env })
    expect(await json(set, { env, input: whole.stdout })).toMatchObject({ revision: 2 })
    const { config } = (await data.store.rooms.find('acme', 'hall'))!
    expect(JSON.stringify(config)).toContain(SECRET)
  })
})

describe('room config set', () => {
  it('gives a room another config, as a new revision', async () => {
    await json(['room', 'create', 'acme/den'], { env })
    const file = join(data.path, 'den.json')
    writeFileSync(file, JSON.stringify({ blocks: [{ echo: { enabled: true } }] }))
    const { stdout } = await porthouse(['room', 'config', 'set', 'acme/den', file], { env })
    expect(stdout).toBe('room acme/den has config 2\n')
    expect(await json(['room', 'config', 'show', 'acme/den'], { env })).toEqual({
      blocks: [{ echo: { enabled: true } }],
    })
  })

  it('leaves it as it was where the new one is wrong, or the room is not there', async () => {
    const wrong = '{"blocks":[{"access":{"locks":["tokn"]}}]}'
    const set = (room: string) => ['room', 'config', 'set', room, '-']
    const refused = await porthouse(set('acme/den'), { env, input: wrong })
    expect(refused.code).toBe(2)
    expect((await data.store.rooms.find('acme', 'den'))!.revision).toBe(2)
    const none = await porthouse(set('acme/nowhere'), { env, input: '{}' })
    expect(none).toMatchObject({ code: 1, stdout: '' })
    expect((await porthouse(set('acme/den'), { env, input: 'no JSON' })).code).toBe(2)
  })
})
