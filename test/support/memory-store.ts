/** The part of a store that the gateway asks at run time, in memory; it can be away, or slow. */
import { randomBytes, randomUUID } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { type Block, ConfigSchema } from '@porthouse/proto/room/v1/config'
import { newToken } from '../../gateway/identity/tokens.ts'
import { type RoomRecord, StoreError, type TokenRecord } from '../../gateway/store/store.ts'

export interface TokenOptions {
  readonly send?: boolean
  readonly receive?: boolean
  /** Slug of the client that it acts as. */
  readonly client?: string
  readonly expiresAt?: Date
}

/** The config of a room that anybody may enter. */
export const OPEN: Block['kind'] = { case: 'access', value: { locks: [] } as never }

export class MemoryStore {
  /** Every question is refused as by a database that is away. */
  away = false
  /** Questions about rooms so far. */
  asked = 0
  readonly #accounts = new Map<string, { id: string; slug: string }>()
  readonly #rooms: RoomRecord[] = []
  readonly #tokens: TokenRecord[] = []
  #gate = Promise.resolve()

  readonly rooms = {
    find: async (account: string, room: string): Promise<RoomRecord | undefined> => {
      this.asked++
      await this.#answer()
      return this.#rooms.find(
        (each) =>
          [each.account.slug, each.account.id].includes(account) &&
          [each.slug, each.id].includes(room),
      )
    },
  }

  readonly tokens = {
    find: async (id: string): Promise<TokenRecord | undefined> => {
      await this.#answer()
      return this.#tokens.find((token) => token.id === id)
    },
  }

  /** Answers nothing until the function that it returns is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#gate = promise
    return resolve
  }

  room(address: string, ...kinds: Block['kind'][]): RoomRecord {
    const [account, slug] = address.split('/') as [string, string]
    const config = create(ConfigSchema, { blocks: kinds.map((kind) => ({ kind })) })
    const record = {
      id: randomUUID(),
      account: this.#account(account),
      slug,
      createdAt: new Date(0),
      revision: 1,
      config,
    }
    this.#rooms.push(record)
    return record
  }

  /** The secret of a new token for these rooms of the account. */
  token(account: string, rooms: readonly string[], options: TokenOptions = {}): string {
    const { send = true, receive = true, client, expiresAt } = options
    const { id, hash, secret } = newToken(randomUUID(), randomBytes(32))
    const grants = this.#rooms
      .filter((room) => room.account.slug === account && rooms.includes(room.slug))
      .map((room) => ({ roomId: room.id, room: room.slug, send, receive }))
    this.#tokens.push({
      id,
      hash,
      account: this.#account(account),
      createdAt: new Date(0),
      grants,
      ...(client && { client: { id: randomUUID(), slug: client } }),
      ...(expiresAt && { expiresAt }),
    })
    return secret
  }

  /** Ids of a client, by its slug. */
  clientId(slug: string): string {
    const token = this.#tokens.find(({ client }) => client?.slug === slug)
    if (!token?.client) throw new Error(`no client ${slug}`)
    return token.client.id
  }

  #account(slug: string): { id: string; slug: string } {
    const account = this.#accounts.get(slug) ?? { id: randomUUID(), slug }
    this.#accounts.set(slug, account)
    return account
  }

  async #answer(): Promise<void> {
    await this.#gate
    if (this.away) throw new StoreError('unavailable', 'the database is away')
  }
}
