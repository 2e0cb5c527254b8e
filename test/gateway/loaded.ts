/** Starts a gateway with the features of the first argument, and prints the modules it loaded. */
import { registerHooks } from 'node:module'
import { pino } from 'pino'
import type { Store } from '../../gateway/store/store.ts'

const loaded: string[] = []
registerHooks({
  load(url, context, next) {
    loaded.push(url)
    return next(url, context)
  },
})
const { schema } = await import('../../gateway/config/config.ts')
const { createGateway } = await import('../../gateway/gateway.ts')
const { MemoryStore } = await import('../support/memory-store.ts')

const listen = '127.0.0.1:0'
const config = schema.parse({
  data: 'nowhere',
  http: { listen },
  mqtt: { listen },
  features: process.argv[2],
})
const store = Object.assign(new MemoryStore(), { ping: async () => {} }) as unknown as Store
const gateway = await createGateway({ config, store, log: pino({ level: 'silent' }) })
await gateway.drain()
process.stdout.write(loaded.join('\n'), () => process.exit())
