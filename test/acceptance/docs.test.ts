/** What the documents show as JSON is what it is said to be: configs of rooms, and frames. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromJson, type JsonObject, type JsonValue } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import { FrameSchema, PacketSchema } from '@porthouse/proto/v1/frame'
import { expect, test } from 'vitest'
import { loadConfig } from '../../gateway/config/load.ts'
import { createCore } from '../../gateway/gateway.ts'
import { openLog } from '../../gateway/observe/log.ts'
import { checkConfig } from '../../gateway/rooms/config.ts'
import type { Store } from '../../gateway/store/store.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { root } from '../tidy/root.ts'

const pages = [
  'README.md',
  ...['docs', 'docs/acceptors', 'docs/mqtt', 'docs/rooms'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  ),
]

/** Values in a page's blocks of code, fenced as json or set in; what is left out is empty. */
function valuesOf(page: string): JsonObject[] {
  const text = readFileSync(join(root, page), 'utf8').replaceAll('…', '')
  const fenced = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map(([, block = '']) => block)
  const setIn = text.replace(/```[\s\S]*?```/g, '').match(/(?:^ {4}.*\n|^ {4}.*$)+/gm) ?? []
  return [...fenced, ...setIn.filter((block) => /^ *\{/.test(block))].flatMap(split)
}

/** One value begins where a line begins with its brace, and the one before has ended. */
function split(block: string): JsonObject[] {
  const values: JsonObject[] = []
  let text = ''
  for (const line of block.split('\n')) {
    text += `${line}\n`
    const value = parsed(text)
    if (value === undefined) continue
    values.push(value)
    text = ''
  }
  if (text.trim() !== '') throw new Error(`no JSON: ${text}`)
  return values
}

function parsed(text: string): JsonObject | undefined {
  try {
    return JSON.parse(text) as JsonObject
  } catch {
    return undefined
  }
}

const { config } = loadConfig({ flags: {} })
const { log } = openLog('silent')
const { acceptors } = createCore({ config, store: new MemoryStore() as unknown as Store, log })
const reader = { acceptors, defaults: config.limbo }

test.each(pages)('%s', (page) => {
  for (const value of valuesOf(page)) {
    if ('blocks' in value) expect(checkConfig(fromJson(ConfigSchema, value), reader)).toEqual([])
    else if ('frames' in value) fromJson(PacketSchema, value as JsonValue)
    else if ('lockStep' in value || 'id' in value) fromJson(FrameSchema, value as JsonValue)
  }
})

test('every acceptor with options shows a config that has some', () => {
  const withOptions = ['cookie', 'header', 'identity', 'knock', 'oidc', 'preset', 'tty', 'url']
  for (const name of [...withOptions, 'webhook']) {
    const configs = valuesOf(`docs/acceptors/${name}.md`).filter((value) => 'blocks' in value)
    expect({ name, configs: JSON.stringify(configs) }).toEqual({
      name,
      configs: expect.stringContaining(`"acceptor":"${name}"`),
    })
  }
})
