/**
 * The samples of C that are of C alone: those over MQTT, by two libraries. They talk with the
 * client in TypeScript, so that what is said on one medium is heard on the other.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Client, connect, type Room } from '../../../clients/ts/src/index.ts'
import { Running } from '../../cli/process.ts'
import { TestGateway } from '../../support/gateway.ts'
import { BUILD_MS } from '../languages.ts'
import { buildSamples, sampleFile } from './build.ts'

const ROOM = 'demo/first'

let hub: TestGateway
let anna: string
let bert: Client
let room: Room
const programs: Running[] = []

beforeAll(async () => {
  hub = await TestGateway.start()
  await hub.room(ROOM)
  anna = await hub.token('demo', ['first'], { client: 'anna' })
  bert = await connect(hub.url, { token: await hub.token('demo', ['first'], { client: 'bert' }) })
  room = await bert.join(ROOM)
  await buildSamples()
}, BUILD_MS)
afterEach(() => {
  for (const { process } of programs.splice(0)) process.kill('SIGKILL')
})
afterAll(async () => {
  await bert?.close()
  await hub?.stop()
})

function run(sample: string, token: string, ...more: string[]): Running {
  const args = [`mqtt://127.0.0.1:${hub.mqttPort}`, ROOM, token, ...more]
  const program = new Running(args, { command: sampleFile(sample) })
  programs.push(program)
  return program
}

describe.each(['mosquitto', 'paho'])('over MQTT by %s', (library) => {
  test('hello, whose lock the core opens', async () => {
    const messages = room.messages()
    const hello = run(`hello-${library}`, anna)
    const { value } = await messages.next()
    expect(value).toMatchObject({ text: 'hello', from: 'client:demo/anna' })
    await room.send('hello yourself')
    expect(await hello.ended).toEqual({
      code: 0,
      stdout: 'ROUTED to 1\nclient:demo/bert: hello yourself\n',
      stderr: '',
    })
  })

  test('device, by user name and password', async () => {
    const messages = room.messages()
    const device = run(`device-${library}`, anna, '10')
    for (const reading of [1, 2, 3]) {
      expect((await messages.next()).value).toMatchObject({
        channel: 'readings',
        contentType: 'application/json',
        text: `{"reading":${reading}}`,
      })
    }
    await room.send('stop')
    const { code, stdout, stderr } = await device.ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^in room:demo\/first\nROUTED 1\nROUTED 2\nROUTED 3\n/)
    expect(stdout).toMatch(/\nstopped\n$/)
  })

  test.each(['hello', 'device'])('%s with a wrong token', async (sample) => {
    const { code, stdout, stderr } = await run(`${sample}-${library}`, 'wrong').ended
    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: 'UNAUTHENTICATED\n' })
  })
})
