/**
 * Opens a store, says so, and holds it until it is killed. Arguments: the module that opens it, and
 * the options.
 */
import { pino } from 'pino'

const [opener, options] = process.argv.slice(2)
const { openStore } = await import(opener!)
const store = await openStore({ ...JSON.parse(options!), log: pino({ level: 'silent' }) })
await store.ping()
process.stdout.write('open\n')
// The test that started this may be killed itself.
process.stdin.resume().on('end', () => process.exit())
