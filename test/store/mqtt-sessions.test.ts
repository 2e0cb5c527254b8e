/** The sessions of the store in memory, which other tests take for those of the database. */
import { randomUUID } from 'node:crypto'
import { MemoryStore } from '../support/memory-store.ts'
import { mqttSessionsSuite } from './mqtt-sessions-suite.ts'

const store = new MemoryStore()

mqttSessionsSuite(() => ({
  sessions: store.mqttSessions,
  newAccount: async () => store.room(`acme/r-${randomUUID().slice(0, 8)}`).account.id,
  newRoom: async () => store.room(`acme/r-${randomUUID().slice(0, 8)}`).id,
  deleteRoom: async (roomId) => {
    const rooms = await store.rooms.list('acme')
    store.deleteRoom(`acme/${rooms.find(({ id }) => id === roomId)?.slug}`)
  },
}))
