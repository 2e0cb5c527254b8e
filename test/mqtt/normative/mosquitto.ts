/**
 * Mosquitto as what is probed, to judge the probes themselves by: PROBE=mosquitto, while they are
 * written. `make test` never needs it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Target } from './target.ts'

export async function startMosquitto(): Promise<Target> {
  const dir = await mkdtemp(join(tmpdir(), 'porthouse-mosquitto-'))
  const port = await freePort()
  const httpPort = await freePort()
  const conf = join(dir, 'mosquitto.conf')
  await writeFile(conf, settings(port, httpPort))
  const child = spawn('/usr/sbin/mosquitto', ['-c', conf], { stdio: ['ignore', 'ignore', 'pipe'] })
  for await (const line of createInterface(child.stderr)) if (/ running$/.test(line)) break
  child.stderr.resume()
  return {
    port,
    httpPort,
    credentials: {},
    lenient: true,
    async stop() {
      child.kill()
      if (child.exitCode === null) await once(child, 'exit')
      await rm(dir, { recursive: true, force: true })
    },
  }
}

function settings(port: number, httpPort: number): string {
  return [
    'log_dest stderr',
    'user root',
    'allow_anonymous true',
    'max_packet_size 1000000',
    'max_keepalive 600',
    `listener ${port} 127.0.0.1`,
    `listener ${httpPort} 127.0.0.1`,
    'protocol websockets',
  ].join('\n')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
