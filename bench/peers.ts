/** The servers that are measured, each started fresh for every leg. */
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { startJetStream } from './peers/jetstream.ts'
import { FREE_PORTS, SERVER_CPU, type Server, startServer } from './process.ts'
import { installNats, root } from './tools.ts'

/** More than the publishes of QoS 1 that are under way at a time; porthouse has as many. */
const INFLIGHT = 1000

/**
 * Brings a server up on loopback; `folder` is a temporary one that all of them share, `env` is for
 * those on Node.
 */
export type Start = (folder: string, env?: Record<string, string>) => Promise<Server>

/** Those that collect their garbage at SIGUSR2 where peers/collect.ts is loaded. */
export const onNode: readonly string[] = ['porthouse', 'floor', 'ws', 'socketio', 'aedes']

export const peers: Readonly<Record<string, Start>> = {
  porthouse: startPorthouse,
  floor: (_, env) => startNode('floor.ts', env),
  ws: (_, env) => startNode('ws.ts', env),
  socketio: (_, env) => startNode('socketio.ts', env),
  nats: startNats,
  mosquitto: startMosquitto,
  aedes: (_, env) => startNode('aedes.ts', env),
  jetstream: (folder) => startJetStream(folder, 'default'),
  'jetstream-sync': (folder) => startJetStream(folder, 'always'),
}

/**
 * `folder/data` holds the rooms already: see rooms.ts. All settings are the defaults. The second of
 * its ports speaks MQTT.
 */
export function startPorthouse(folder: string, env: Record<string, string> = {}): Promise<Server> {
  const args = ['run', ...FREE_PORTS, '--data', join(folder, 'data')]
  const command = { file: join(root, 'bin/porthouse'), args, env, cpu: SERVER_CPU }
  return startServer(command, /ws:\/\/127\.0\.0\.1:(\d+)/, /mqtt:\/\/127\.0\.0\.1:(\d+)/)
}

/** By the same Node as porthouse. */
function startNode(file: string, env: Record<string, string> = {}): Promise<Server> {
  const args = [join(import.meta.dirname, 'peers', file)]
  return startServer({ file: process.execPath, args, env, cpu: SERVER_CPU }, /"port":(\d+)/)
}

/** Core NATS over WebSocket, not compressed. */
async function startNats(folder: string): Promise<Server> {
  const config = join(folder, 'nats.conf')
  const webSocket = '{ host: "127.0.0.1", port: -1, no_tls: true, compression: false }'
  await writeFile(config, `host: "127.0.0.1"\nport: -1\nwebsocket ${webSocket}\n`)
  const file = await installNats()
  // One core is what it gets, so one thread at a time is what it runs best with.
  const command = { file, args: ['-c', config], env: { GOMAXPROCS: '1' }, cpu: SERVER_CPU }
  return startServer(command, /websocket clients on ws:\/\/127\.0\.0\.1:(\d+)/)
}

/** Where Debian has it is not on everybody's PATH. */
const DEBIAN = '/usr/sbin/mosquitto'
export const MOSQUITTO = existsSync(DEBIAN) ? DEBIAN : 'mosquitto'

/** One that keeps nothing on disk, and takes the messages of a burst. */
async function startMosquitto(folder: string): Promise<Server> {
  const port = await freePort()
  const config = join(folder, 'mosquitto.conf')
  const settings = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'set_tcp_nodelay true',
    `max_inflight_messages ${INFLIGHT}`,
    'max_queued_messages 0',
    'persistence false',
    'sys_interval 0',
    'log_dest stderr',
    'connection_messages false',
  ]
  await writeFile(config, `${settings.join('\n')}\n`)
  const command = { file: MOSQUITTO, args: ['-c', config], cpu: SERVER_CPU }
  const server = await startServer(command, /mosquitto version [\d.]+(\d) running/)
  return { ...server, port, ports: [port] }
}

/** Mosquitto takes no port 0, and tells none. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
