/** The snippets of docs/mqtt/guide.md that run here do what they are shown for. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Running } from '../cli/process.ts'
import { BUILD_MS, buildClients } from '../mqtt/clients/clients.ts'
import { root } from '../tidy/root.ts'
import { Hub } from './hub.ts'

const guide = readFileSync(join(root, 'docs/mqtt/guide.md'), 'utf8')
const HEARD = 'acme/field/temp: 21.5'
const RECEIPT = /^\$porthouse\/v1\/json\/receipt: .*"id":\d+,"receipt":.*"RECEIPT_STATUS_ROUTED"/m

let hub: Hub
let python: string
/** What stands in the guide, and what it is here. */
let here: readonly (readonly [shown: string, real: string])[]
const running: Running[] = []

beforeAll(async () => {
  const [started, commands] = await Promise.all([Hub.start(), buildClients()])
  hub = started
  python = commands.Python[0] as string
  const ended = await shell(snippet('Before the first line', 'sh')).ended
  expect(ended).toMatchObject({ code: 0, stderr: '' })
  const [token, pump] = ['token', 'pump'].map((name) =>
    JSON.parse(readFileSync(hub.file(`${name}.json`), 'utf8')),
  )
  here = [
    ['wss://hub.example', hub.url],
    ['hub.example', '127.0.0.1'],
    ['1883', String(hub.mqttPort)],
    ['pht_…', token.secret],
    ['$PUMP', pump.id],
    ['PUMP', pump.id],
  ]
  await symlink(join(root, 'node_modules'), hub.file('node_modules'))
}, BUILD_MS)
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop('SIGKILL')))
})
afterAll(async () => {
  expect(await hub.stop()).toMatchObject({ code: 0, stderr: '' })
})

/** The one of a section, from 0, that is fenced as this language. */
function snippet(section: string, language: string, index = 0): string {
  const text = guide.split(/^## /m).find((each) => each.startsWith(`${section}\n`)) ?? ''
  const fenced = [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)]
  const found = fenced.filter(([, name]) => name === language)[index]?.[2]
  if (found === undefined) throw new Error(`no ${language} ${index} in ${section}`)
  return here?.reduce((real, [shown, is]) => real.replaceAll(shown, is), found) ?? found
}

function shell(text: string): Running {
  const env = { PATH: `${join(root, 'bin')}:${process.env.PATH}` }
  // What is said to a pipe would wait in a buffer.
  return begin(['-oL', 'sh', '-ec', text], 'stdbuf', env)
}

function begin(args: readonly string[], command: string, env?: Record<string, string>): Running {
  const one = new Running(args, hub.with({ command, ...(env && { env }) }))
  running.push(one)
  return one
}

describe('mosquitto', () => {
  const section = 'mosquitto_pub and mosquitto_sub'

  test('hears what it publishes, and says why it may not', async () => {
    const listener = shell(`exec ${snippet(section, 'sh').replace('-v', '-v -d')}`)
    await listener.says(/^Subscribed .*: 1$/m)
    const [good, refused] = snippet(section, 'sh', 1).trim().split('\n') as [string, string]
    expect(await shell(good).ended).toMatchObject({ code: 0, stderr: '' })
    await listener.says('acme/field/temp 21.5\n')
    const { stderr } = await shell(refused).ended
    expect(stderr).toContain('Not authorized')
  })

  test('opens a lock by the path of a device', async () => {
    expect(await shell(snippet(section, 'sh', 2)).ended).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('paho in C', () => {
  test('is told what became of what it publishes', async () => {
    const client = await compiled('field', snippet('C: paho', 'c'))
    await Promise.all([client.says(HEARD), client.says('PUBACK says 0x00'), client.says(RECEIPT)])
    client.process.stdin.end('\n')
    expect(await client.ended).toMatchObject({ code: 0, stderr: '' })
  })

  test('opens a lock over topics', async () => {
    const [declaration, answering] = snippet('C: paho', 'c', 1).split('\n\n') as [string, string]
    const program = snippet('C: paho', 'c')
      .replace(/ +options\.(username|password) = .*\n/g, '')
      .replace(/^int main/m, `${declaration}\n$&`)
      .replace(/^.*subscribe5\(client, "\$porthouse.*$/m, `${answering}\n$&`)
    const client = await compiled('lock', program)
    await Promise.all([client.says('"OUTCOME_PASSED"'), client.says(HEARD)])
  })

  async function compiled(name: string, text: string): Promise<Running> {
    const [source, binary] = [hub.file(`${name}.c`), hub.file(name)]
    await writeFile(source, text)
    await promisify(execFile)('cc', ['-Wall', '-Werror', '-o', binary, source, '-lpaho-mqtt3c'])
    return begin([], binary)
  }
})

describe('paho in Python', () => {
  test('is told what became of what it publishes', async () => {
    const client = begin(['-c', snippet('Python: paho', 'python')], python)
    await Promise.all([
      client.says(HEARD),
      client.says('PUBACK says Success'),
      client.says(RECEIPT),
    ])
  })

  test('opens a lock over topics, as it asks', async () => {
    const client = begin(['-c', snippet('Python: paho', 'python', 1)], python)
    await client.says(/"challenge"[\s\S]*"OUTCOME_PASSED"[\s\S]*the lock is open/)
    await client.says('acme/plant/temp: 21.5')
  })
})

describe('MQTT.js', () => {
  test('is told what became of what it publishes', async () => {
    const client = await script('node', snippet('Node: MQTT.js', 'js'))
    await Promise.all([client.says(HEARD), client.says('taken'), client.says('"receipt":')])
  })

  test('opens a lock by AUTH', async () => {
    const client = await script('auth', snippet('Node: MQTT.js', 'js', 1))
    expect(await client.ended).toMatchObject({ code: 0, stderr: '' })
    expect(client.stdout).toMatch(/"challenge"[\s\S]*the lock is open/)
  })

  test('comes by WebSocket, as a page does', async () => {
    const client = await script('page', snippet('Browser: MQTT.js', 'js'))
    await client.says(HEARD)
  })

  async function script(name: string, text: string): Promise<Running> {
    const file = hub.file(`${name}.mjs`)
    await writeFile(file, text)
    return begin([file], process.execPath)
  }
})
