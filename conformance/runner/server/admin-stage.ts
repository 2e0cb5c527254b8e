/** The stage of a gateway with porthouse's admin API, set by the operator's key. */
import { create } from '@bufbuild/protobuf'
import { type Client, createClient, type Interceptor, type Transport } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-node'
import { AccountService } from '@porthouse/proto/admin/v1/account_service'
import { ClientService } from '@porthouse/proto/admin/v1/client_service'
import { ConnectionKeyService } from '@porthouse/proto/admin/v1/connection_key_service'
import type { Grant } from '@porthouse/proto/admin/v1/grant'
import { RoomService } from '@porthouse/proto/admin/v1/room_service'
import { ServerService } from '@porthouse/proto/admin/v1/server_service'
import { SocketService } from '@porthouse/proto/admin/v1/socket_service'
import { TechnicalService } from '@porthouse/proto/admin/v1/technical_service'
import { type Token, TokenSchema, TokenService } from '@porthouse/proto/admin/v1/token_service'
import type { Change, Fixture } from '@porthouse/proto/conformance/v1/fixture'
import type { Accounts, Known, Stage } from './stage.ts'

export class AdminStage implements Stage {
  readonly #accounts: Client<typeof AccountService>
  readonly #rooms: Client<typeof RoomService>
  readonly #clients: Client<typeof ClientService>
  readonly #tokens: Client<typeof TokenService>
  readonly #keys: Client<typeof ConnectionKeyService>
  readonly #server: Client<typeof ServerService>
  readonly #sockets: Client<typeof SocketService>
  readonly #technical: Client<typeof TechnicalService>

  constructor(baseUrl: string, key: string) {
    const transport = authorized(baseUrl, key)
    this.#accounts = createClient(AccountService, transport)
    this.#rooms = createClient(RoomService, transport)
    this.#clients = createClient(ClientService, transport)
    this.#tokens = createClient(TokenService, transport)
    this.#keys = createClient(ConnectionKeyService, transport)
    this.#server = createClient(ServerService, transport)
    this.#sockets = createClient(SocketService, transport)
    this.#technical = createClient(TechnicalService, transport)
  }

  async prepare({ account, other }: Accounts, fixture: Fixture): Promise<Known> {
    const known = await this.#prepare(account, fixture)
    if (!other) return known
    const others = Object.entries(await this.#prepare(other, fixture))
    return { ...known, ...Object.fromEntries(others.map(([name, id]) => [`other.${name}`, id])) }
  }

  async change(account: string, { what }: Change, known: Known): Promise<Known> {
    const parent = `accounts/${account}`
    const token = (name: string) => `${parent}/tokens/${known[`${name}.id`]}`
    switch (what.case) {
      case 'revokeToken':
        await this.#tokens.revokeToken({ name: token(what.value) })
        return {}
      case 'deleteToken':
        await this.#tokens.deleteToken({ name: token(what.value) })
        return {}
      case 'regenerateToken': {
        const { secret } = await this.#tokens.regenerateToken({ name: token(what.value) })
        return { [`${what.value}.secret`]: secret }
      }
      case 'setGrants': {
        const grants = what.value.grants.map((grant) => inAccount(account, grant))
        const changed = { name: token(what.value.token), grants }
        await this.#tokens.updateToken({ token: changed, updateMask: { paths: ['grants'] } })
        return {}
      }
      case 'setRoom': {
        const room = { name: `${parent}/rooms/${what.value.name}`, config: what.value.config! }
        await this.#rooms.updateRoom({ room })
        return {}
      }
      case 'deleteRoom':
        await this.#rooms.deleteRoom({ name: `${parent}/rooms/${what.value}` })
        return {}
      case 'deleteClient':
        await this.#clients.deleteClient({ name: `${parent}/clients/${what.value}` })
        return {}
      case 'rotateKey': {
        const name = `${parent}/connectionKeys/${known[`${what.value}.id`]}`
        const { connectionKey } = await this.#keys.rotateConnectionKey({ name })
        return { [`${what.value}.secret`]: connectionKey!.secret }
      }
      case 'dropSocket':
        await this.#sockets.dropSocket({ name: what.value.replace('socket:', 'sockets/') })
        return {}
      case 'announce':
        await this.#technical.announce({ parent, detail: what.value })
        return {}
      case 'drain':
        await this.#server.drain({ name: '-' })
        return {}
      case undefined:
        throw new TypeError('a change of nothing')
    }
  }

  async discard({ account, other }: Accounts): Promise<void> {
    const names = [account, ...(other ? [other] : [])]
    await Promise.all(
      names.map((name) => this.#accounts.deleteAccount({ name: `accounts/${name}` })),
    )
  }

  async #prepare(account: string, fixture: Fixture): Promise<Known> {
    const parent = `accounts/${account}`
    await this.#accounts.createAccount({ accountId: account })
    const rooms = Object.entries(fixture.rooms)
    await Promise.all(
      rooms.map(([roomId, config]) => this.#rooms.createRoom({ parent, roomId, room: { config } })),
    )
    const clients = Object.entries(fixture.clients).map(([clientId, asked]) => {
      const { password, maxSockets, grants } = asked
      const proofs = password ? [{ proof: { case: 'password' as const, value: password } }] : []
      const client = { maxSockets, grants: grants.map((grant) => inAccount(account, grant)) }
      return this.#clients.createClient({ parent, clientId, client, credentials: proofs })
    })
    await Promise.all(clients)
    const known: Record<string, string> = {}
    const secrets = [
      ...Object.entries(fixture.tokens).map(async ([name, asked]) => {
        const token = tokenIn(account, asked)
        return [name, await this.#tokens.createToken({ parent, token })] as const
      }),
      ...fixture.keys.map(async (name) => {
        return [name, await this.#keys.createConnectionKey({ parent })] as const
      }),
    ]
    for (const [name, made] of await Promise.all(secrets)) {
      known[`${name}.id`] = made.name.split('/').at(-1)!
      known[`${name}.secret`] = made.secret
    }
    return known
  }
}

function authorized(baseUrl: string, key: string): Transport {
  const credentials: Interceptor = (next) => (request) => {
    request.header.set('authorization', `Bearer ${key}`)
    return next(request)
  }
  return createConnectTransport({ baseUrl, httpVersion: '1.1', interceptors: [credentials] })
}

/** The fixture's token, whose rooms and client are slugs, as the API names them. */
function tokenIn(account: string, token: Token): Token {
  const client = token.client === '' ? '' : `accounts/${account}/clients/${token.client}`
  const grants = token.grants.map((grant) => inAccount(account, grant))
  return create(TokenSchema, { ...token, client, grants })
}

function inAccount(account: string, grant: Grant): Grant {
  return { ...grant, room: `accounts/${account}/rooms/${grant.room}` }
}
