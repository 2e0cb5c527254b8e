/** A store on a server of the test's own, and what tests put into it. */
import { randomBytes, randomUUID } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import type postgres from 'postgres'
import { openStore, type StoreOptions } from '../../gateway/store/postgres/open.ts'
import type { Account, RoomRecord, Store, TokenRecord, Tokens } from '../../gateway/store/store.ts'
import type { Rooms } from './histories-suite.ts'
import type { Clients } from './mqtt-sessions-suite.ts'

export interface Server {
  readonly options: StoreOptions
  /** Ends it as a crash would, and lets it run again. */
  crash(): Promise<void>
  /** A connection past the store. */
  sql(): postgres.Sql
  stop(): Promise<void>
}

export const author = 'test'

export class Fixture {
  server!: Server
  store!: Store
  readonly #start: () => Promise<Server>
  /** By the rooms that they own. */
  readonly #accounts = new Map<string, string>()

  constructor(start: () => Promise<Server>) {
    this.#start = start
  }

  async open(): Promise<void> {
    this.server = await this.#start()
    const { options } = this.server
    // Both find an empty database, and each needs the whole schema.
    const [one, other] = await Promise.all([openStore(options), openStore(options)])
    this.store = one
    await other.ping()
    await other.close()
  }

  async close(): Promise<void> {
    await this.store?.close()
    await this.server?.stop()
  }

  /** An account of the test's own, so that no test sees what another has left. */
  newAccount(): Promise<Account> {
    return this.store.accounts.create({ slug: `a-${randomUUID().slice(0, 8)}` })
  }

  async newRoom(slug = 'boiler', config = create(ConfigSchema)): Promise<RoomRecord> {
    const account = await this.newAccount()
    return this.store.rooms.create({ account: account.slug, slug, config, author })
  }

  /** The histories, of rooms by their ids. */
  rooms(): Rooms {
    const { histories, cursors, retained, rooms } = this.store
    return {
      histories,
      cursors,
      retained,
      newRoom: async () => {
        const { id, account } = await this.newRoom()
        this.#accounts.set(id, account.id)
        return id
      },
      deleteRoom: async (roomId) => {
        await rooms.delete(this.#accounts.get(roomId)!, roomId)
      },
    }
  }

  /** Sessions of MQTT clients, and what they are in. */
  mqttClients(): Clients {
    const { newRoom, deleteRoom } = this.rooms()
    const newAccount = async () => (await this.newAccount()).id
    return { sessions: this.store.mqttSessions, newAccount, newRoom, deleteRoom }
  }

  newToken(
    account: string,
    rest: Partial<Parameters<Tokens['create']>[0]> = {},
  ): Promise<TokenRecord> {
    const given = { id: randomUUID(), hash: randomBytes(32), grants: [], ...rest }
    return this.store.tokens.create({ ...given, account })
  }
}
