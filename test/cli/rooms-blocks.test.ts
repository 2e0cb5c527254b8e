/** What the options of `room create` make of a room (R19). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create, toBinary, toJson } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema, StructSchema } from '@bufbuild/protobuf/wkt'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BlockOptions, roomConfig } from '../../gateway/cli/room/config.ts'
import { DataFolder, json, porthouse } from './process.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'porthouse-blocks-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const blocksOf = (options: BlockOptions) => toJson(ConfigSchema, roomConfig(options))

describe('options', () => {
  it('stand for a block each', () => {
    const schema = '{"type": "object"}'
    expect(
      blocksOf({
        open: true,
        echo: true,
        slow: 'conflate',
        history: 'durable',
        sessionHistory: true,
        retain: 'all',
        presence: true,
        jsonSchema: file('schema.json', schema),
      }),
    ).toEqual({
      blocks: [
        { access: {} },
        { echo: { enabled: true } },
        { slowConsumers: { policy: 'POLICY_CONFLATE' } },
        { messages: { json: { schema } } },
        { history: { keep: 'KEEP_DURABLE' } },
        { sessionHistory: { owners: 'OWNERS_ALL' } },
        { presence: { enabled: true } },
        { retained: { values: 'VALUES_ALL' } },
      ],
    })
    expect(blocksOf({ history: 'window', retain: 'asked' })).toEqual({
      blocks: [{ history: { keep: 'KEEP_WINDOW' } }, { retained: { values: 'VALUES_ASKED' } }],
    })
  })

  it('replace the blocks of a file, and leave its others and their order', () => {
    const blocks = [{ history: { keep: 'KEEP_DURABLE' } }, { echo: { enabled: true } }]
    const config = file('config.json', JSON.stringify({ blocks }))
    expect(blocksOf({ config, history: 'none' })).toEqual({
      blocks: [{ history: { keep: 'KEEP_NONE' } }, { echo: { enabled: true } }],
    })
  })

  it('for devices stand for an access by token or SSH key, and for retained values', () => {
    const flows = [{ lock: { acceptor: 'token' } }, { lock: { acceptor: 'ssh-key' } }]
    const access = { access: { flow: { any: { flows } } } }
    expect(blocksOf({ devices: true, retain: 'all' })).toEqual({
      blocks: [access, { retained: { values: 'VALUES_ALL' } }],
    })
    expect(blocksOf({ devices: true })).toEqual({
      blocks: [access, { retained: { values: 'VALUES_ASKED' } }],
    })
  })

  it('that contradict each other are refused', () => {
    const set = file('set.binpb', '')
    for (const options of [
      { open: true, lock: ['token'] },
      { devices: true, open: true },
      { devices: true, lock: ['token'] },
      { protobuf: set },
      { type: 'a.B' },
      { jsonSchema: set, protobuf: set, type: 'a.B' },
      { jsonSchema: join(folder, 'none.json') },
    ]) {
      expect(() => roomConfig(options)).toThrow(expect.objectContaining({ exit: 2 }))
    }
  })
})

describe('room create', () => {
  let data: DataFolder
  beforeAll(async () => {
    data = await DataFolder.open()
    await data.store.accounts.create({ slug: 'acme' })
  })
  afterAll(() => data.close())

  it('makes a durable room with session history by one command', async () => {
    const args = ['room', 'create', 'acme/board', '--history', 'durable', '--session-history']
    expect(await json(args, { env: data.env })).toMatchObject({
      config: {
        blocks: [
          { history: { keep: 'KEEP_DURABLE' } },
          { sessionHistory: { owners: 'OWNERS_ALL' } },
        ],
      },
    })
  })

  it('makes a room of devices by one command, and says how each is added', async () => {
    const { code, stdout } = await porthouse(['room', 'create', 'acme/field', '--devices'], {
      env: data.env,
    })
    expect({ code, lines: stdout.trimEnd().split('\n') }).toEqual({
      code: 0,
      lines: [
        'room acme/field is made; add a device by token or by SSH key:',
        '  porthouse token create acme --room field:send,receive --client DEVICE',
        '  porthouse client create acme/DEVICE --ssh-key FILE.pub --room field:send,receive',
      ],
    })
  })

  it('takes a descriptor set and the type of it', async () => {
    const { proto } = StructSchema.file
    const set = toBinary(
      FileDescriptorSetSchema,
      create(FileDescriptorSetSchema, { file: [proto] }),
    )
    const protobuf = ['--protobuf', file('struct.binpb', set), '--type', 'google.protobuf.Struct']
    const made = await json<object>(['room', 'create', 'acme/typed', ...protobuf], {
      env: data.env,
    })
    expect(made).toMatchObject({
      config: { blocks: [{ messages: { protobuf: { type: 'google.protobuf.Struct' } } }] },
    })
  })

  it('is refused what contradicts itself, with the path of each fault', async () => {
    const blocks = [
      { retention: { messages: '5' } },
      { unread: { enabled: true } },
      { defaultTarget: { group: 'crew' } },
    ]
    const config = file('wrong.json', JSON.stringify({ blocks }))
    const args = ['room', 'create', 'acme/wrong', '--history', 'window', '--config', config]
    const { code, stderr } = await porthouse(args, { env: data.env })
    expect({ code, faults: stderr.trimEnd().split('\n') }).toEqual({
      code: 2,
      faults: [
        'porthouse: blocks[0].retention: only with history KEEP_DURABLE',
        'porthouse: blocks[1].unread: only with history KEEP_DURABLE',
        'porthouse: blocks[2].defaultTarget.group: block groups has no such group',
      ],
    })
    expect(await data.store.rooms.find('acme', 'wrong')).toBeUndefined()
  })
})
