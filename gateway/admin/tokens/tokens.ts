/** Tokens: listed, shown, made, and given other rights or terms. */
import type { ServiceImpl } from '@connectrpc/connect'
import {
  type ListTokensRequest,
  TokenSchema,
  type TokenService,
} from '@porthouse/proto/admin/v1/token_service'
import { newToken } from '../../identity/tokens.ts'
import { isUuid } from '../../protocol/name.ts'
import type { Account, Store } from '../../store/store.ts'
import { theAccount } from '../accounts.ts'
import { callOf } from '../calls/call.ts'
import { fieldsOf } from '../fields.ts'
import { given, grantsIn } from '../grants.ts'
import { CLIENT, ROOM, unknownResource, within } from '../names.ts'
import type { AdminParts } from '../parts.ts'
import { readPosition, type WrittenPosition, writtenPosition } from '../positions.ts'
import { change, SECRET_BYTES, shown, state, theToken } from './records.ts'
import { bound, TERMS, termsOf } from './terms.ts'

type Methods = 'listTokens' | 'getToken' | 'createToken' | 'updateToken'

export function tokenMethods(parts: AdminParts): Pick<ServiceImpl<typeof TokenService>, Methods> {
  const { store, pages, clock, newId, random } = parts
  const { accounts, rooms, tokens } = store
  return {
    async listTokens(request, context) {
      const { parent, client, room } = request
      const query = ['tokens', parent, client, room, callOf(context).principal.id]
      const page = pages.page<WrittenPosition>(request, query)
      const account = await theAccount(accounts, parent)
      const found = await tokens.list(account.id, {
        ...(await filtersOf(store, account, request)),
        after: readPosition(page.after),
        limit: page.limit + 1,
      })
      const { items, nextPageToken } = pages.cut(found, page, query, writtenPosition)
      return { tokens: items.map((token) => shown(token)), nextPageToken }
    },

    async getToken({ name }) {
      return shown(await theToken(tokens, name))
    },

    async createToken({ parent, token, validateOnly }, context) {
      const account = await theAccount(accounts, parent)
      const grants = await grantsIn(rooms, account, token!.grants, 'token.grants')
      const client = await actingClient(store, account, token!.client)
      const terms = bound(termsOf(token!, new Set(TERMS), clock()))
      const { id, hash, secret } = newToken(newId(), random(SECRET_BYTES))
      if (validateOnly) {
        const token = { id, hash, account, grants, createdAt: new Date(clock()), ...terms }
        return shown({ ...token, ...(client && { client }) })
      }
      const made = await tokens.create({
        ...{ id, hash, ...terms },
        account: account.id,
        grants: grants.map(given),
        ...(client && { client: client.id ?? client.slug }),
      })
      callOf(context).changed = { after: state(made) }
      return shown(made, secret)
    },

    async updateToken({ token, updateMask, validateOnly }, context) {
      const { name, etag } = token!
      const fields = fieldsOf(updateMask, TokenSchema, token!, ['grants', ...TERMS])
      const before = await theToken(tokens, name, etag)
      const terms = termsOf(token!, fields, clock())
      const grants = fields.has('grants')
        ? await grantsIn(rooms, before.account, token!.grants, 'token.grants')
        : undefined
      if (validateOnly) return shown(bound({ ...before, ...terms, ...(grants && { grants }) }))
      const to = { ...terms, ...(grants && { grants: grants.map(given) }) }
      return shown(await change(tokens, { before, etag }, to, context))
    },
  }
}

/** The client that a token is to act as; one that is new has no id. */
async function actingClient(
  { clients }: Store,
  account: Account,
  name: string,
): Promise<{ readonly id?: string; readonly slug: string } | undefined> {
  if (name === '') return undefined
  const client = within(account, CLIENT, name, 'token.client')
  const found = await clients.find(account.id, client)
  if (!found && isUuid(client)) throw unknownResource(name)
  return found ?? { slug: client }
}

/** What a list is asked to hold alone. Rejects with Refusal RESOURCE_UNKNOWN. */
async function filtersOf(
  { clients, rooms }: Store,
  account: Account,
  { client, room }: ListTokensRequest,
) {
  const ofClient =
    client !== '' && (await clients.find(account.id, within(account, CLIENT, client, 'client')))
  if (ofClient === undefined) throw unknownResource(client)
  const inRoom = room !== '' && (await rooms.head(account.id, within(account, ROOM, room, 'room')))
  if (inRoom === undefined) throw unknownResource(room)
  return { ...(ofClient && { clientId: ofClient.id }), ...(inRoom && { roomId: inRoom.id }) }
}
