/**
 * What an idle connection's memory is made of: the heap of a gateway before and with many of them,
 * by kind of object, and what the process has beside its heap. See docs/memory.md.
 *
 *   node bench/heap/run.ts [--protocols websocket,mqtt] [--connections N] [--least BYTES] [--json]
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openDatabase } from '../database.ts'
import { startPorthouse } from '../peers.ts'
import { makeRooms } from '../rooms.ts'
import { type Account, account } from './account.ts'
import { Crowd, type Protocol, ROOMS } from './idle.ts'
import { Inspector, inspectable, type Memory } from './inspector.ts'
import { kindsOf } from './kinds.ts'
import { accountTable } from './table.ts'

/** There before anything is counted: code is compiled, and each room is loaded. */
const WARM = ROOMS
/** For timers of a connection's first moments. */
const SETTLE_MS = 1_000

const { values } = parseArgs({
  options: {
    protocols: { type: 'string', default: 'websocket,mqtt' },
    connections: { type: 'string', default: '2000' },
    least: { type: 'string', default: '24' },
    json: { type: 'boolean', default: false },
  },
})
const connections = Number(values.connections)

interface Look {
  readonly memory: Memory
  readonly snapshot: string
}

/** Memory with each of `counts`, and a snapshot with the last: taking one costs memory itself. */
async function look(folder: string, protocol: Protocol, counts: number[]): Promise<Look[]> {
  const server = await startPorthouse(folder, inspectable)
  const crowd = new Crowd(server, protocol)
  try {
    const inspector = await Inspector.open(server)
    const memories: Memory[] = []
    for (const count of counts) {
      await crowd.grow(count)
      await delay(SETTLE_MS)
      memories.push(await inspector.memory())
    }
    const snapshot = await inspector.snapshot()
    inspector.close()
    return memories.map((memory) => ({ memory, snapshot }))
  } finally {
    crowd.close()
    await server.stop()
  }
}

async function measure(folder: string, protocol: Protocol): Promise<Account> {
  const [alone] = await look(folder, protocol, [WARM])
  const [before, withAll] = await look(folder, protocol, [WARM, WARM + connections])
  return account({
    protocol,
    connections,
    before: before!.memory,
    with: withAll!.memory,
    kinds: [kindsOf(alone!.snapshot), kindsOf(withAll!.snapshot)],
  })
}

const folder = await mkdtemp(join(tmpdir(), 'porthouse-heap-'))
try {
  await using database = await openDatabase(folder)
  await makeRooms(database.store)
  for (const protocol of values.protocols.split(',') as Protocol[]) {
    const found = await measure(folder, protocol)
    console.log(values.json ? JSON.stringify(found) : accountTable(found, Number(values.least)))
  }
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 10 })
}
