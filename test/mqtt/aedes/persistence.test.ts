/** Aedes' persistence over the store: aedes-persistence's own suite, whole, over PostgreSQL. */
import { rmSync } from 'node:fs'
import abstractPersistence from 'aedes-persistence/abstract.js'
import { afterAll, beforeAll, describe } from 'vitest'
import { Persistence } from '../../../gateway/ingress/mqtt/aedes/persistence.ts'
import type { MqttSessions } from '../../../gateway/store/mqtt-sessions.ts'
import { connect } from '../../../gateway/store/postgres/database.ts'
import { openFolders } from '../../../gateway/store/postgres/embedded/folders.ts'
import { Fixture } from '../../store/fixture.ts'
import { newFolder, silent, stopped } from '../../store/process.ts'
import { nodeTest } from '../../support/node-test.ts'

/** The suite has clients of which no stage has opened a session. */
class OpeningPersistence extends Persistence {
  readonly #sessions: MqttSessions
  readonly #opened = new Set<string>()

  constructor(parts: ConstructorParameters<typeof Persistence>[0]) {
    super(parts)
    this.#sessions = parts.sessions
  }

  override async addSubscriptions(...args: Parameters<Persistence['addSubscriptions']>) {
    await this.#open(args[0].id)
    return super.addSubscriptions(...args)
  }

  override async outgoingEnqueueCombi(...args: Parameters<Persistence['outgoingEnqueueCombi']>) {
    for (const { clientId } of args[0]) await this.#open(clientId)
    return super.outgoingEnqueueCombi(...args)
  }

  override async incomingStorePacket(...args: Parameters<Persistence['incomingStorePacket']>) {
    await this.#open(args[0].id)
    return super.incomingStorePacket(...args)
  }

  async #open(key: string): Promise<void> {
    if (this.#opened.has(key)) return
    this.#opened.add(key)
    const session = { key, principal: 'suite', clientId: key, expiryS: 60 }
    await this.#sessions.open(session, new Date())
  }
}

const folder = newFolder()
const fixture = new Fixture(async () => ({
  options: { dataDir: folder, log: silent, embedded: { graceMs: 200 } },
  crash: () => Promise.reject(new Error('not here')),
  sql: () => connect({ sockets: openFolders(folder).sockets }, 1, 0),
  stop: async () => {
    await stopped(folder)
    rmSync(folder, { recursive: true })
  },
}))
beforeAll(() => fixture.open())
afterAll(() => fixture.close())

describe("aedes-persistence's own suite", () => {
  abstractPersistence({
    test: nodeTest,
    testAsync: true,
    /** Everything in a room of the test's own, and no session of an earlier one. */
    async persistence() {
      const sql = fixture.server.sql()
      await sql`delete from mqtt_sessions`
      await sql.end()
      const { id } = await fixture.newRoom()
      const { mqttSessions: sessions, retained } = fixture.store
      const itself = (topic: string) => topic
      return new OpeningPersistence({
        sessions,
        retained,
        roomOf: () => id,
        names: { nameOf: itself, filterOf: itself },
        bounds: { messages: 1_000, bytes: 1_048_576 },
      })
    },
  })
})
