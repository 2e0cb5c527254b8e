/**
 * Bare inserts, one batch after the other on one connection: what the database takes at most.
 * Prints what the generator prints of a workload: a delivery is a row, a latency that of a batch.
 *
 *   node bench/durable/insert.ts TASK
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { openLog } from '../../gateway/observe/log.ts'
import type { StoredMessage } from '../../gateway/store/history.ts'
import { connect } from '../../gateway/store/postgres/database.ts'
import { openFolders } from '../../gateway/store/postgres/embedded/folders.ts'
import { bytesArray, hexOf, plainArray } from '../../gateway/store/postgres/history/literal.ts'
import { openStore } from '../../gateway/store/postgres/open.ts'
import type { Result } from '../kinds.ts'
import { cpuOf, cpuOfFamily } from './processor.ts'

/**
 * `unnest`: into a table with what performance needs and no more. `append`: what a gateway's
 * history does with the same batch.
 */
export type Form = 'unnest' | 'append'

/** As JSON, the program's argument. */
export interface Inserts {
  readonly dataDir: string
  /** Of PostgreSQL's first process. */
  readonly database: number
  readonly form: Form
  readonly batch: number
  readonly room: string
  readonly seconds: number
}

/** As long as an Envelope's body with a payload of 128 bytes. */
const BODY_BYTES = 131
const ID_BYTES = 16
const WARMUP_MS = 1_000

const UNNEST = `
  insert into bench_messages (room, seq, ts, id, payload)
  select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::uuid[], $5::bytea[])`

type Insert = (messages: readonly StoredMessage[]) => Promise<unknown>

async function inserting(task: Inserts): Promise<{ insert: Insert; close: () => Promise<void> }> {
  const { dataDir, form, room } = task
  if (form === 'append') {
    const store = await openStore({ dataDir, log: openLog('silent').log, embedded: {} })
    const { generation } = await store.histories.claim(room)
    const insert = async (messages: readonly StoredMessage[]) => {
      const lost = await store.histories.append([{ roomId: room, generation, messages }])
      if (lost.size > 0) throw new Error('the history is with another')
    }
    return { insert, close: () => store.close() }
  }
  const sql = connect({ sockets: openFolders(dataDir).sockets }, 1, 0)
  await sql.unsafe(`
    drop table if exists bench_messages;
    create table bench_messages (
      room uuid, seq bigint, ts bigint, id uuid, payload bytea, primary key (room, seq)
    )`)
  const insert = (messages: readonly StoredMessage[]) =>
    sql.unsafe(
      UNNEST,
      [
        plainArray(messages.map(() => room)),
        plainArray(messages.map(({ sequence }) => sequence)),
        plainArray(messages.map(({ timeMs }) => timeMs)),
        plainArray(messages.map(({ id }) => hexOf(id))),
        bytesArray(messages.map(({ body }) => body)),
      ],
      { prepare: true },
    )
  const close = async () => {
    await sql.unsafe('drop table bench_messages')
    await sql.end()
  }
  return { insert, close }
}

async function measure(task: Inserts): Promise<Result> {
  const { insert, close } = await inserting(task)
  const body = randomBytes(BODY_BYTES)
  const from = `socket:${randomUUID()}`
  let sequence = 0
  const batch = () => {
    // In one go: a call for each id would cost the client more than it has left of a row.
    const ids = randomBytes(ID_BYTES * task.batch)
    return Array.from({ length: task.batch }, (_, n): StoredMessage => {
      sequence++
      const id = ids.subarray(ID_BYTES * n, ID_BYTES * (n + 1))
      return { sequence, id, timeMs: Date.now(), from, channel: '', body }
    })
  }
  const warm = performance.now() + WARMUP_MS
  while (performance.now() < warm) await insert(batch())
  const [client, database] = [cpuOf(process.pid), cpuOfFamily(task.database)]
  const began = performance.now()
  const first = sequence
  const times: number[] = []
  while (performance.now() - began < task.seconds * 1000) {
    const messages = batch()
    const sent = performance.now()
    await insert(messages)
    times.push(performance.now() - sent)
  }
  const seconds = (performance.now() - began) / 1000
  const rows = sequence - first
  const serverCpu = cpuOf(process.pid) - client
  const storeCpu = cpuOfFamily(task.database) - database
  await close()
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(share * times.length)] ?? Number.NaN
  return {
    deliveries: rows,
    calls: 0,
    seconds,
    serverCpu,
    storeCpu,
    generatorCpu: serverCpu,
    p50: at(0.5),
    p99: at(0.99),
    probeP99: 0,
    published: sequence,
  }
}

console.log(JSON.stringify(await measure(JSON.parse(process.argv[2]!))))
