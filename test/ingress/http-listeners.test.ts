/** The listeners of HTTP: TLS with both versions and WebSocket, and what is set apart. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { request } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type Settings, schema } from '../../gateway/config/config.ts'
import { exposureWarning, refuseExposure } from '../../gateway/config/exposure.ts'
import { Connections } from '../../gateway/ingress/connections.ts'
import { type HttpIngress, httpIngress } from '../../gateway/ingress/http/ingress.ts'
import { answerText, type Route } from '../../gateway/ingress/http/route.ts'
import { ListenError } from '../../gateway/ingress/listen.ts'
import { Proxies } from '../../gateway/ingress/proxies.ts'
import { type CertificateFiles, certificate } from '../support/certificate.ts'
import { TestGateway } from '../support/gateway.ts'

const folder = mkdtempSync(join(tmpdir(), 'porthouse-https-'))
const ended: (() => Promise<unknown> | unknown)[] = []
let files: CertificateFiles
let logged: string[] = []
let told = Promise.withResolvers<void>()

beforeAll(() => {
  files = certificate(folder)
})
afterEach(async () => {
  for (const end of ended.splice(0).toReversed()) await end()
  logged = []
})
afterAll(() => rmSync(folder, { recursive: true }))

const log = pino(
  { level: 'info' },
  {
    write(line: string) {
      logged.push(line)
      told.resolve()
      told = Promise.withResolvers()
    },
  },
)

/** Until the log has a line with this in it, from now on. */
async function says(text: string): Promise<void> {
  while (!logged.some((line) => line.includes(text))) await told.promise
  logged = []
}

function route(path: string): Route {
  return {
    method: 'GET',
    path: new RegExp(`^${path}$`),
    answer: (_request, response) => answerText(response, 200, path),
  }
}

type Sections = Pick<Settings, 'http' | 'admin' | 'metrics' | 'features' | 'connections'>

function configOf(settings: Sections) {
  const http = { listen: '127.0.0.1:0', ...settings.http }
  return schema.parse({ ...settings, data: 'nowhere', http })
}

async function ingress(settings: Sections): Promise<HttpIngress> {
  const config = configOf(settings)
  const proxies = new Proxies(config.http.trustedProxies)
  const server = await httpIngress({
    config,
    connections: new Connections(config.connections, proxies),
    proxies,
    log,
    ready: () => Promise.resolve(),
    upgrade: (_request, socket) => socket.destroy(),
    open: { handlers: [], routes: [route('/open')] },
    admin: { handlers: [], routes: [route('/admin')] },
    metrics: [route('/metrics')],
  })
  ended.push(() => server.close())
  return server
}

const onTls = () => ({ tls: { listen: '127.0.0.1:0', ...files } })

async function secured(port = 0, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  socket.on('error', () => undefined)
  ended.push(() => socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

/** What the server says, which has ended its handshake as well then: cut before, it waits on. */
async function answered(socket: TLSSocket): Promise<string> {
  socket.write('GET /open HTTP/1.1\r\nHost: x\r\n\r\n')
  const [data] = await once(socket, 'data')
  return String(data)
}

async function nameAt(port: number | undefined): Promise<unknown> {
  const socket = await secured(port)
  await answered(socket)
  return socket.getPeerCertificate().subject.CN
}

function status(port: number | undefined, path: string, tls = false): Promise<number> {
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}${path}`
  if (!tls) return fetch(url).then((answer) => answer.status)
  return new Promise((resolve, reject) => {
    const asked = request(url, { rejectUnauthorized: false }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    asked.on('error', reject).end()
  })
}

describe('TLS', () => {
  test('has HTTP/2 and HTTP/1.1, as the client asks for', async () => {
    const { https } = await ingress({ http: onTls() })
    expect(await status(https?.port, '/open', true)).toBe(200)
    const session = connectHttp2(`https://127.0.0.1:${https?.port}`, { rejectUnauthorized: false })
    ended.push(() => session.destroy())
    const stream = session.request({ ':path': '/open' })
    const [headers] = await once(stream, 'response')
    expect(headers[':status']).toBe(200)
    expect(session.alpnProtocol).toBe('h2')
    const bare = await secured(https?.port)
    expect(bare.alpnProtocol).toBe(false)
    expect(await answered(bare)).toMatch(/^HTTP\/1.1 200 /)
    await expect(secured(https?.port, { ALPNProtocols: ['spdy/3'] })).rejects.toThrow()
  })

  test.each(['TLSv1', 'TLSv1.1'] as const)('%s is not spoken (H13)', async (version) => {
    const { https } = await ingress({ http: onTls() })
    const ciphers = 'DEFAULT@SECLEVEL=0'
    const old = secured(https?.port, { minVersion: version, maxVersion: version, ciphers })
    await expect(old).rejects.toThrow(/alert protocol version/i)
  })

  test.each([
    ['plain HTTP', 'GET / HTTP/1.1\r\nHost: here\r\n\r\n'],
    ['HTTP/2 without TLS', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('%s is closed', async (_name, bytes) => {
    const { https } = await ingress({ http: onTls() })
    const socket = connectTcp(https?.port as number, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    socket.write(bytes)
    await new Promise((resolve) => socket.once('close', resolve))
    expect(await status(https?.port, '/open', true)).toBe(200)
  })

  test.each(['', 'nobody.example', 'a'.repeat(255)])(
    'the server name %j is no matter',
    async (servername) => {
      const { https } = await ingress({ http: onTls() })
      const socket = await secured(https?.port, { servername })
      expect(socket.authorized).toBe(false)
      expect(await answered(socket)).toMatch(/^HTTP\/1.1 200 /)
    },
  )

  test('a certificate is read anew when it changes, and what is no good is not', async () => {
    const own = mkdtempSync(join(folder, 'own-'))
    const pair = certificate(own)
    const tls = { listen: '127.0.0.1:0', ...pair }
    const { https } = await ingress({ http: { tls } })
    expect(await nameAt(https?.port)).toBe('localhost')
    certificate(own, 'renewed.example')
    await says('the certificate has changed, and is read anew')
    expect(await nameAt(https?.port)).toBe('renewed.example')
    writeFileSync(pair.keyFile, 'not a key')
    await says('is no good; the old one stays')
    expect(await nameAt(https?.port)).toBe('renewed.example')
  })

  test('a certificate of administration is its own, and both are read on demand', async () => {
    const own = mkdtempSync(join(folder, 'own-'))
    const tls = certificate(own, 'admin.example')
    const server = await ingress({ http: onTls(), admin: { listen: '127.0.0.1:0', tls } })
    expect(await nameAt(server.admin?.port)).toBe('admin.example')
    expect(await nameAt(server.https?.port)).toBe('localhost')
    certificate(own, 'renewed.example')
    server.reload()
    expect(await nameAt(server.admin?.port)).toBe('renewed.example')
    writeFileSync(tls.certFile, 'nothing')
    expect(() => server.reload()).toThrow()
    expect(await status(server.admin?.port, '/admin', true)).toBe(200)
  })

  test('a certificate that is not there is told at the start, and nothing listens', async () => {
    const tls = { listen: '127.0.0.1:0', certFile: join(folder, 'none'), keyFile: files.keyFile }
    await expect(ingress({ http: { tls } })).rejects.toThrow('none')
  })
})

test('WebSocket is spoken over TLS', async () => {
  const gateway = await TestGateway.start({ http: onTls() })
  ended.push(() => gateway.stop())
  const url = `wss://127.0.0.1:${gateway.httpsPort}/v1/ws`
  const socket = new WebSocket(url, ['porthouse.v1'], { rejectUnauthorized: false })
  await once(socket, 'open')
  expect(socket.protocol).toBe('porthouse.v1')
  expect(gateway.sockets).toBe(1)
  socket.terminate()
})

describe('set apart', () => {
  const apart = { listen: '127.0.0.1:0' }

  test('administration is served there, and nowhere else', async () => {
    const { http, admin } = await ingress({ admin: apart })
    const ports = [http.port, admin?.port]
    const all = (path: string) => Promise.all(ports.map((port) => status(port, path)))
    expect(await all('/admin')).toEqual([404, 200])
    expect(await all('/open')).toEqual([200, 404])
    expect(await all('/healthz')).toEqual([200, 200])
  })

  test('it is served with the rest where no address is given', async () => {
    const { http, admin, metrics, https } = await ingress({})
    expect([admin, metrics, https]).toEqual([undefined, undefined, undefined])
    expect(await status(http.port, '/admin')).toBe(200)
    expect(await status(http.port, '/metrics')).toBe(404)
  })

  test('metrics are alone where they are', async () => {
    const { metrics } = await ingress({ metrics: apart })
    const paths = ['/metrics', '/open', '/admin', '/healthz']
    const answers = await Promise.all(paths.map((path) => status(metrics?.port, path)))
    expect(answers).toEqual([200, 404, 404, 404])
  })

  test('who fills the gateway keeps nobody out of administration (H16)', async () => {
    const { http, admin } = await ingress({ admin: apart, connections: { max: 1 } })
    const crowd = Array.from({ length: 80 }, () =>
      connectTcp(http.port, '127.0.0.1').on('error', () => undefined),
    )
    ended.push(() => crowd.map((socket) => socket.destroy()))
    await Promise.any(crowd.map((socket) => once(socket, 'close')))
    expect(await status(admin?.port, '/admin')).toBe(200)
  })

  test('an address that is taken is told, and nothing listens', async () => {
    const { http } = await ingress({})
    const taken = { listen: `127.0.0.1:${http.port}` }
    await expect(ingress({ admin: taken })).rejects.toThrow(ListenError)
    await expect(ingress({ metrics: taken })).rejects.toThrow('see metrics.listen')
  })
})

describe('administration without TLS where others reach it (C11)', () => {
  const wide = '0.0.0.0:0'
  const tls = { certFile: 'x', keyFile: 'x' }

  test.each<[string, Sections]>([
    ['with the rest', { http: { listen: wide } }],
    ['apart', { admin: { listen: '[::]:0' } }],
    ['with the rest on both', { http: { listen: wide, tls } }],
  ])('%s is refused', (_name, settings) => {
    expect(() => refuseExposure(configOf(settings))).toThrow(/listen is ".*admin\.insecure$/)
  })

  test.each<[string, Sections]>([
    ['it is of this machine', {}],
    ['it is apart on this machine', { http: { listen: wide }, admin: { listen: '127.0.0.1:0' } }],
    ['it has TLS', { http: { listen: wide }, admin: { listen: wide, tls } }],
    ['it is off', { http: { listen: wide }, features: ['all', '-admin'] }],
    ['a proxy is trusted', { http: { listen: wide, trustedProxies: ['10.0.0.1'] } }],
    ['somebody says so', { http: { listen: wide }, admin: { insecure: true } }],
  ])('is none where %s', (_name, settings) => {
    expect(() => refuseExposure(configOf(settings))).not.toThrow()
  })

  test('a gateway refuses to start, or says by health what it is (K19)', async () => {
    const gateway = await TestGateway.start()
    ended.push(() => gateway.stop())
    const open = { http: { listen: wide } }
    await expect(gateway.beside(open)).rejects.toThrow('administration would be served there')
    const insecure = await gateway.beside({ ...open, admin: { insecure: true } })
    ended.push(() => insecure.stop())
    const answer = await fetch(`http://127.0.0.1:${insecure.port}/healthz`)
    expect(await answer.text()).toMatch(/^ok\nwarning: admin\.insecure: .* at http\.listen\n$/)
    expect(exposureWarning(configOf({ admin: { insecure: true } }))).toBeUndefined()
  })
})
