/**
 * Opens a store and makes one call, as the command line does, then ends by itself. Arguments: the
 * options of the store, the part and the method, and the arguments, as JSON.
 */
import { pino } from 'pino'
import { openStore } from '../../gateway/store/postgres/open.ts'

const [options, part, method, args] = process.argv.slice(2)
const store = await openStore({ ...JSON.parse(options!), log: pino({ level: 'silent' }) })
// What watches must not keep the process once the store is closed.
await store.changes.watch(() => {})
const called = store as unknown as Record<string, Record<string, (...args: unknown[]) => unknown>>
await called[part!]![method!]!(...JSON.parse(args!))
await store.close()
