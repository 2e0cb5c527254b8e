/** The part of a store that the gateway asks at run time, in memory; it can be away, or slow. */
import { randomBytes, randomUUID } from 'node:crypto'
import { create, type JsonObject } from '@bufbuild/protobuf'
import { type Block, ConfigSchema } from '@porthouse/proto/room/v1/config'
import { newToken } from '../../gateway/identity/tokens.ts'
import {
  type Change,
  type ClientRecord,
  type Credential,
  type CredentialKind,
  type Grant,
  type Login,
  type NewGrant,
  type RoomRecord,
  type RoomRevision,
  type Store,
  StoreError,
  type TokenRecord,
  type TokenTerms,
} from '../../gateway/store/store.ts'
import { MemoryCursors, MemoryHistories, MemoryRetained } from './memory-history.ts'
import { MemoryMqttSessions } from './memory-mqtt-sessions.ts'
import { MemoryOffences } from './memory-offences.ts'

export interface TokenOptions extends TokenTerms {
  /** Both rights are given unless they are taken away. */
  readonly send?: boolean
  readonly receive?: boolean
  readonly admit?: boolean
  readonly channels?: readonly string[]
  /** Slug of the client that it acts as. */
  readonly client?: string
}

type Listener = (change: Change | undefined) => void

/** What the gateway asks of a store while it runs. */
interface Asked {
  readonly accounts: Pick<Store['accounts'], 'find'>
  readonly rooms: Pick<Store['rooms'], 'find' | 'list' | 'revisions'>
  readonly clients: Pick<Store['clients'], 'find' | 'claimed' | 'ensure'>
  readonly credentials: Pick<Store['credentials'], 'find' | 'list'>
  readonly tokens: Pick<Store['tokens'], 'find'>
  readonly logins: Store['logins']
  readonly offences: Store['offences']
  readonly histories: Store['histories']
  readonly cursors: Store['cursors']
  readonly retained: Store['retained']
  readonly mqttSessions: Store['mqttSessions']
  readonly changes: Store['changes']
}

/** The config of a room that anybody may enter. */
export const OPEN: Block['kind'] = { case: 'access', value: { locks: [] } as never }

export class MemoryStore implements Asked {
  /** Every question is refused as by a database that is away. */
  away = false
  /** Questions about rooms so far. */
  asked = 0
  readonly #accounts = new Map<string, { id: string; slug: string }>()
  readonly #rooms: RoomRecord[] = []
  readonly #roomIds = new Set<string>()
  /** Of all rooms, by their ids, the latest first. */
  readonly #revisions = new Map<string, RoomRevision[]>()
  readonly #clients: ClientRecord[] = []
  readonly #credentials: Credential[] = []
  readonly #tokens: TokenRecord[] = []
  readonly #logins: Login[] = []
  readonly #listeners = new Set<Listener>()
  #gate = Promise.resolve()

  readonly accounts: Asked['accounts'] = {
    find: async (name) => {
      await this.#answer()
      const account = [...this.#accounts.values()].find((each) => isNamed(each, name))
      return account && { ...account, createdAt: new Date(0) }
    },
  }

  readonly rooms: Asked['rooms'] = {
    find: async (account, room) => {
      this.asked++
      await this.#answer()
      return this.#rooms.find((each) => isNamed(each.account, account) && isNamed(each, room))
    },
    list: async (account) => {
      await this.#answer()
      const { id } = this.#theAccount(account)
      return this.#rooms.filter((each) => each.account.id === id)
    },
    revisions: async (account, room, { before = Infinity, limit }) => {
      await this.#answer()
      const found = this.#rooms.find(
        (each) => isNamed(each.account, account) && isNamed(each, room),
      )
      if (!found) throw new StoreError('missing', 'the room is unknown')
      const all = this.#revisions.get(found.id) ?? []
      return all.filter(({ revision }) => revision < before).slice(0, limit)
    },
  }

  readonly clients: Asked['clients'] = {
    find: async (account, client) => {
      await this.#answer()
      return this.#findClient(account, client)
    },
    claimed: async (account, client, kind) => {
      await this.#answer()
      const found = this.#findClient(account, client)
      const isHis = (each: Credential) => each.kind === kind && each.client?.id === found?.id
      return found && { client: found, credentials: this.#credentials.filter(isHis) }
    },
    ensure: async (account, slug) => {
      await this.#answer()
      const { slug: owner } = this.#theAccount(account)
      return this.#findClient(owner, slug) ?? this.client(`${owner}/${slug}`)
    },
  }

  readonly credentials: Asked['credentials'] = {
    find: async (id) => {
      await this.#answer()
      return this.#credentials.find((each) => each.id === id)
    },
    list: async (account, client) => {
      await this.#answer()
      const { id } = this.#theAccount(account)
      const owner = client === undefined ? undefined : this.#theClient(account, client).id
      return this.#credentials.filter((each) => each.account.id === id && each.client?.id === owner)
    },
  }

  readonly tokens: Asked['tokens'] = {
    find: async (id) => {
      await this.#answer()
      const token = this.#tokens.find((each) => each.id === id)
      const client = this.#clients.find((each) => each.id === token?.client?.id)
      return token && client ? { ...token, client: nameAndBoundOf(client) } : token
    },
  }

  readonly logins: Asked['logins'] = {
    create: async ({ hash, account, client, expiresAt }) => {
      await this.#answer()
      const found = this.#theClient(account, client)
      const login = { hash, account: found.account, client: nameOf(found), expiresAt }
      this.#logins.push(login)
      return login
    },
    find: async (hash) => {
      await this.#answer()
      return this.#logins.find((login) => Buffer.compare(login.hash, hash) === 0)
    },
    delete: async (hash) => {
      await this.#answer()
      return remove(this.#logins, (login) => Buffer.compare(login.hash, hash) === 0)
    },
  }

  readonly offences = new MemoryOffences(() => this.#answer())

  readonly changes: Asked['changes'] & { watching: boolean } = {
    /** False: as where the connection that tells them is lost. */
    watching: true,
    // Is not refused while the database is away, but waits until it is there.
    watch: async (listener) => {
      await this.#gate
      const own: Listener = (change) => listener(change)
      this.#listeners.add(own)
      return async () => void this.#listeners.delete(own)
    },
  }

  readonly #owner = {
    answer: () => this.#answer(),
    hasRoom: (id: string) => this.#roomIds.has(id),
  }
  readonly histories = new MemoryHistories(this.#owner)
  readonly cursors = new MemoryCursors(this.#owner, this.histories)
  readonly retained = new MemoryRetained(this.#owner)
  readonly mqttSessions = new MemoryMqttSessions(this.#owner)

  /** Answers nothing until the function that it returns is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#gate = promise
    return resolve
  }

  /** Tells all that watch; without a change, that some may have been missed. */
  tell(change?: Change): void {
    for (const listener of this.#listeners) listener(change)
  }

  room(address: string, ...kinds: Block['kind'][]): RoomRecord {
    const [account, slug] = split(address)
    const record = {
      id: randomUUID(),
      account: this.#account(account),
      slug,
      createdAt: new Date(0),
      revision: 1,
      config: configOf(kinds),
    }
    this.#rooms.push(record)
    this.#roomIds.add(record.id)
    this.#revise(record)
    return record
  }

  /** The room's config becomes this. */
  configure(address: string, ...kinds: Block['kind'][]): void {
    const [account, slug] = split(address)
    const at = this.#rooms.findIndex((room) => room.account.slug === account && room.slug === slug)
    const room = this.#rooms[at]
    if (!room) throw new Error(`no room ${address}`)
    const revised = { ...room, revision: room.revision + 1, config: configOf(kinds) }
    this.#rooms[at] = revised
    this.#revise(revised)
    this.tell({ kind: 'room', id: room.id })
  }

  deleteRoom(address: string): void {
    const [account, slug] = split(address)
    const room = this.#rooms.find((each) => each.account.slug === account && each.slug === slug)
    if (!room) throw new Error(`no room ${address}`)
    remove(this.#rooms, (each) => each === room)
    this.#roomIds.delete(room.id)
    const without = <T extends { readonly grants: readonly Grant[] }>(owner: T): T => ({
      ...owner,
      grants: owner.grants.filter(({ roomId }) => roomId !== room.id),
    })
    this.#clients.splice(0, Infinity, ...this.#clients.map(without))
    this.#tokens.splice(0, Infinity, ...this.#tokens.map(without))
    this.tell({ kind: 'room', id: room.id })
  }

  /** Makes a client, `account/client`, granted what a list says, or all rights in rooms by slug. */
  client(
    address: string,
    grants: readonly (string | NewGrant)[] = [],
    options: { readonly maxSockets?: number } = {},
  ): ClientRecord {
    const [account, slug] = split(address)
    const record = {
      id: randomUUID(),
      account: this.#account(account),
      slug,
      createdAt: new Date(0),
      version: 1,
      grants: this.#grants(account, grants),
      ...options,
    }
    this.#clients.push(record)
    return record
  }

  /** As `Clients.change`; tells it. */
  changeClient(
    address: string,
    to: { grants?: readonly (string | NewGrant)[]; maxSockets?: number | null },
  ): void {
    const client = this.#theClient(...split(address))
    const { maxSockets: before, ...rest } = client
    const maxSockets = to.maxSockets === undefined ? before : to.maxSockets
    this.#clients[this.#clients.indexOf(client)] = {
      ...rest,
      version: client.version + 1,
      ...(to.grants && { grants: this.#grants(client.account.slug, to.grants) }),
      ...(typeof maxSockets === 'number' && { maxSockets }),
    }
    this.tell({ kind: 'client', id: client.id })
  }

  /** With its credentials, logins and tokens; tells all of them. */
  deleteClient(address: string): void {
    const { id } = this.#theClient(...split(address))
    const isHis = (each: { client?: { id: string } }) => each.client?.id === id
    for (const credential of this.#credentials.filter(isHis)) this.deleteCredential(credential.id)
    for (const token of this.#tokens.filter(isHis)) this.#deleteToken(token.id)
    while (remove(this.#logins, isHis));
    remove(this.#clients, (each) => each.id === id)
    this.mqttSessions.forget(({ principal }) => principal === `client:${id}`)
    this.tell({ kind: 'client', id })
  }

  /** Adds a credential to an account, or to a client of it: `account/client`. */
  credential(
    owner: string,
    kind: CredentialKind,
    data: JsonObject,
    options: { readonly id?: string; readonly label?: string; readonly expiresAt?: Date } = {},
  ): Credential {
    const [account, client] = split(owner)
    const credential = {
      id: randomUUID(),
      kind,
      account: this.#account(account),
      ...(client && { client: nameOf(this.#theClient(account, client)) }),
      data,
      label: '',
      createdAt: new Date(0),
      ...options,
    }
    this.#credentials.push(credential)
    this.tell({ kind: 'credential', id: credential.id })
    return credential
  }

  expireCredential(id: string, expiresAt: Date): void {
    const at = this.#credentials.findIndex((each) => each.id === id)
    this.#credentials[at] = { ...this.#credentials[at]!, expiresAt }
    this.tell({ kind: 'credential', id })
  }

  deleteCredential(id: string): void {
    remove(this.#credentials, (each) => each.id === id)
    this.tell({ kind: 'credential', id })
  }

  /** The secret of a new token for these rooms of the account. */
  token(account: string, rooms: readonly string[], options: TokenOptions = {}): string {
    const { client, ...rest } = options
    const { send = true, receive = true, admit = false, channels = [], ...terms } = rest
    const { id, hash, secret } = newToken(randomUUID(), randomBytes(32))
    const grants = rooms.map((room) => ({ room, send, receive, admit, channels }))
    this.#tokens.push({
      id,
      hash,
      account: this.#account(account),
      createdAt: new Date(0),
      version: 1,
      grants: this.#grants(account, grants),
      ...(client && { client: nameOf(this.#ensureClient(account, client)) }),
      ...terms,
    })
    return secret
  }

  /** Gives a token, by its secret, other grants; tells it. */
  changeToken(secret: string, grants: readonly (string | NewGrant)[]): void {
    const token = this.#theToken(secret)
    this.#replaceToken({ ...token, grants: this.#grants(token.account.slug, grants) })
  }

  /** The new secret of a token, whose old one is void; tells it. */
  regenerateToken(secret: string): string {
    const token = this.#theToken(secret)
    const next = newToken(token.id, randomBytes(32))
    this.#replaceToken({ ...token, hash: next.hash })
    return next.secret
  }

  /** Gives a token other terms, where undefined frees it of one; tells it. */
  changeTerms(secret: string, terms: { [Term in keyof TokenTerms]: TokenTerms[Term] | undefined }) {
    this.#replaceToken({ ...this.#theToken(secret), ...(terms as TokenTerms) })
  }

  /** With all that it owns; tells all of that. */
  deleteAccount(slug: string): void {
    const { id } = this.#theAccount(slug)
    const isHis = (each: { account: { id: string } }) => each.account.id === id
    for (const room of this.#rooms.filter(isHis)) this.deleteRoom(`${slug}/${room.slug}`)
    for (const client of this.#clients.filter(isHis)) this.deleteClient(`${slug}/${client.slug}`)
    for (const credential of this.#credentials.filter(isHis)) this.deleteCredential(credential.id)
    for (const token of this.#tokens.filter(isHis)) this.#deleteToken(token.id)
    this.#accounts.delete(slug)
    this.mqttSessions.forget(({ accountId }) => accountId === id)
    this.tell({ kind: 'account', id })
  }

  deleteToken(secret: string): void {
    this.#deleteToken(this.#theToken(secret).id)
  }

  /** UUID of a client, by its slug. */
  clientId(slug: string): string {
    const client = this.#clients.find((each) => each.slug === slug)
    if (!client) throw new Error(`no client ${slug}`)
    return client.id
  }

  #revise({ id, revision, config }: RoomRecord): void {
    const one = { revision, config, author: 'test', createdAt: new Date(0) }
    this.#revisions.set(id, [one, ...(this.#revisions.get(id) ?? [])])
  }

  #account(slug: string): { id: string; slug: string } {
    const account = this.#accounts.get(slug) ?? { id: randomUUID(), slug }
    this.#accounts.set(slug, account)
    return account
  }

  #theAccount(name: string): { id: string; slug: string } {
    const account = [...this.#accounts.values()].find((each) => isNamed(each, name))
    if (!account) throw new StoreError('missing', 'the account is unknown')
    return account
  }

  #findClient(account: string, client: string): ClientRecord | undefined {
    return this.#clients.find((each) => isNamed(each.account, account) && isNamed(each, client))
  }

  #theClient(account: string, client: string): ClientRecord {
    const found = this.#findClient(account, client)
    if (!found) throw new StoreError('missing', 'the client is unknown')
    return found
  }

  #ensureClient(account: string, slug: string): ClientRecord {
    return this.#findClient(account, slug) ?? this.client(`${account}/${slug}`)
  }

  /** By its id, which stands in the secret. */
  #theToken(secret: string): TokenRecord {
    const token = this.#tokens.find(({ id }) => secret.includes(id.replaceAll('-', '')))
    if (!token) throw new Error('no such token')
    return token
  }

  #replaceToken(token: TokenRecord): void {
    const at = this.#tokens.findIndex(({ id }) => id === token.id)
    this.#tokens[at] = { ...token, version: token.version + 1 }
    this.tell({ kind: 'token', id: token.id })
  }

  #deleteToken(id: string): void {
    remove(this.#tokens, (each) => each.id === id)
    this.mqttSessions.forget(({ principal }) => principal === `token:${id}`)
    this.tell({ kind: 'token', id })
  }

  #grants(account: string, wanted: readonly (string | NewGrant)[]): Grant[] {
    return wanted.flatMap((one) => {
      const grant = typeof one === 'string' ? { room: one, send: true, receive: true } : one
      const room = this.#rooms.find(
        (each) => each.account.slug === account && isNamed(each, grant.room),
      )
      if (!room) return []
      const none = { send: false, receive: false, admit: false, channels: [] }
      return [{ ...none, ...grant, roomId: room.id, room: room.slug }]
    })
  }

  async #answer(): Promise<void> {
    await this.#gate
    if (this.away) throw new StoreError('unavailable', 'the database is away')
  }
}

function isNamed({ id, slug }: { id: string; slug: string }, name: string): boolean {
  return name === id || name === slug
}

function nameOf({ id, slug }: { id: string; slug: string }): { id: string; slug: string } {
  return { id, slug }
}

function nameAndBoundOf({ id, slug, maxSockets }: ClientRecord) {
  return { id, slug, ...(maxSockets !== undefined && { maxSockets }) }
}

function split(address: string): [string, string] {
  const [account = '', slug = ''] = address.split('/')
  return [account, slug]
}

function configOf(kinds: Block['kind'][]) {
  return create(ConfigSchema, { blocks: kinds.map((kind) => ({ kind })) })
}

function remove<T>(list: T[], which: (one: T) => boolean): boolean {
  const at = list.findIndex(which)
  if (at >= 0) list.splice(at, 1)
  return at >= 0
}
