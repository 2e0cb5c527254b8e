/** What a run was made on and with. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { MOSQUITTO } from './peers.ts'
import { NATS_VERSION, root } from './tools.ts'

/** `load` is what it was busy with before the run: above 0.3 or so it was not quiet. */
export function machine(): Record<string, string> {
  const [cpu] = cpus()
  return {
    cores: `${cpus().length} x ${cpu?.model}`,
    memory: `${Math.round(totalmem() / 1024 ** 3)} GB`,
    kernel: `Linux ${release()}`,
    load: loadavg()[0]!.toFixed(2),
  }
}

export async function versions(postgres: string): Promise<Record<string, string>> {
  const read = async (path: string) => JSON.parse(await readFile(join(root, path), 'utf8'))
  const [{ version }, { devDependencies }] = await Promise.all([
    read('gateway/package.json'),
    read('bench/package.json'),
  ])
  const commit = await said('git', ['-C', root, 'rev-parse', '--short', 'HEAD'])
  return {
    porthouse: `${version}, commit ${commit}`,
    Node: process.version,
    PostgreSQL: postgres,
    ...devDependencies,
    'nats-server': NATS_VERSION,
    mosquitto: /version (\S+)/.exec(await said(MOSQUITTO, ['-h']))?.[1] ?? 'unknown',
  }
}

/** What a command prints, whatever it ends with: mosquitto's help ends with 3. */
function said(file: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(file, args, (_, output) => resolve(String(output).trim()))
  })
}
