/** `porthouse run` says where MQTT is spoken, or why not. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { certificate } from '../support/certificate.ts'
import { DataFolder, porthouse, Running } from './process.ts'

let data: DataFolder
let folder: string
const running: Running[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'porthouse-mqtt-'))
  data = await DataFolder.open()
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop('SIGKILL')))
})
afterAll(async () => {
  await data.close()
  rmSync(folder, { recursive: true })
})

function begin(args: readonly string[], env: Record<string, string> = {}): Running {
  const gateway = new Running(['run', '--http', '127.0.0.1:0', ...args], {
    env: { ...data.env, ...env },
  })
  running.push(gateway)
  return gateway
}

async function called(port: string): Promise<Socket> {
  const socket = connectTcp(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

/** The name on the certificate that a gateway shows. */
async function shown(port: string): Promise<unknown> {
  const options = { port: Number(port), host: '127.0.0.1', rejectUnauthorized: false }
  const socket: TLSSocket = connect(options)
  await once(socket, 'secureConnect')
  const { subject } = socket.getPeerCertificate()
  socket.destroy()
  return subject.CN
}

it('on TCP and over WebSocket', async () => {
  const gateway = begin([])
  const said = await gateway.says(/^MQTT is .*$/m)
  const [, port, web] =
    /^MQTT is spoken on mqtt:\/\/127\.0\.0\.1:(\d+), ws:\/\/127\.0\.0\.1:(\d+)\/mqtt$/m.exec(said)!
  expect(said).toContain(`(WebSocket ws://127.0.0.1:${web})`)
  ;(await called(port!)).destroy()
  const { code } = await gateway.stop('SIGTERM')
  expect(code).toBe(0)
})

it('and in the demo, what to type', async () => {
  const gateway = begin(['--demo'])
  const said = await gateway.says(/mosquitto_pub .*$/m)
  const [, secret] = /--token (\S+)/.exec(said)!
  const [, port] = /mqtt:\/\/127\.0\.0\.1:(\d+)/.exec(said)!
  const login = `-p ${port} -u demo -P ${secret} -t demo/hello`
  expect(said).toContain(`\n  mosquitto_sub ${login}\n`)
  expect(said).toContain(`\n  mosquitto_pub ${login} -m 'good morning'\n`)
})

it('nowhere, where it is off', async () => {
  for (const off of [
    ['--mqtt', 'off'],
    ['--features', 'websocket'],
  ]) {
    const gateway = begin([...off, '--demo'], { PORTHOUSE_MQTT_WEBSOCKET: 'false' })
    await gateway.says(/--since start/)
    expect(gateway.stdout).not.toMatch(/mqtt|mosquitto/i)
  }
})

it('in one line that its port is taken, and then HTTP is not served either', async () => {
  const first = begin([])
  const [, endpoint] = /mqtt:\/\/([\d.:]+)/.exec(await first.says(/mqtt:\/\/[\d.:]+/))!
  const args = ['run', '--http', '127.0.0.1:0', '--mqtt', endpoint!]
  expect(await porthouse(args, { env: data.env })).toEqual({
    code: 1,
    stdout: '',
    stderr: `porthouse: ${endpoint} is in use; choose another with --mqtt HOST:PORT\n`,
  })
})

it('on TLS, with a certificate that a hangup renews', async () => {
  const { certFile, keyFile } = certificate(folder)
  const env = {
    PORTHOUSE_MQTT_TLS_LISTEN: '127.0.0.1:0',
    PORTHOUSE_MQTT_TLS_CERT_FILE: certFile,
    PORTHOUSE_MQTT_TLS_KEY_FILE: keyFile,
  }
  const gateway = begin(['--mqtt', 'off'], env)
  const said = await gateway.says(/^MQTT is .*$/m)
  const [, port] = /^MQTT is spoken on mqtts:\/\/127\.0\.0\.1:(\d+), ws:\S+$/m.exec(said)!
  expect(await shown(port!)).toBe('localhost')
  certificate(folder, 'renewed.example')
  gateway.process.kill('SIGHUP')
  await gateway.says('the certificate is read anew', 'stderr')
  expect(await shown(port!)).toBe('renewed.example')
  writeFileSync(certFile, 'not a certificate')
  gateway.process.kill('SIGHUP')
  await gateway.says('the certificate is no good', 'stderr')
  expect(await shown(port!)).toBe('renewed.example')
  expect((await gateway.stop('SIGTERM')).code).toBe(0)
})

it('not at all with a certificate that is not there', async () => {
  const none = join(folder, 'none.pem')
  const tls = { PORTHOUSE_MQTT_TLS_CERT_FILE: none, PORTHOUSE_MQTT_TLS_KEY_FILE: none }
  const { code, stdout, stderr } = await porthouse(['run', '--http', '127.0.0.1:0'], {
    env: { ...data.env, ...tls },
  })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain('none.pem')
  expect(stderr.trimEnd().split('\n')).toHaveLength(1)
})
