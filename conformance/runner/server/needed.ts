/** What a case needs of its suite's fixture: each thing costs the gateway work, a password most. */
import { create, toJsonString } from '@bufbuild/protobuf'
import type { Grant } from '@porthouse/proto/admin/v1/grant'
import { type Fixture, FixtureSchema } from '@porthouse/proto/conformance/v1/fixture'
import { type ServerCase, ServerCaseSchema } from '@porthouse/proto/conformance/v1/server_suite'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'

/**
 * Those that the steps name, and those that these name in turn. A name counts wherever it stands as
 * a word, so that more may be made than is needed, and never less.
 */
export function needed(fixture: Fixture, { steps }: ServerCase): Fixture {
  const said = toJsonString(ServerCaseSchema, create(ServerCaseSchema, { steps }))
  const rooms = pick(fixture.rooms, (name) => names(said, name))
  const tokens = pick(fixture.tokens, (name) => names(said, name))
  const configs = Object.values(rooms).map((config) => toJsonString(ConfigSchema, config))
  const all = [said, ...configs, ...Object.values(tokens).map(({ client }) => client)].join(' ')
  const clients = pick(fixture.clients, (name) => names(all, name))
  const ofRooms = (grants: readonly Grant[]) => grants.filter(({ room }) => room in rooms)
  return {
    ...fixture,
    rooms,
    clients: map(clients, (client) => ({
      ...client,
      grants: ofRooms(client.grants),
      password: said.includes(client.password) ? client.password : '',
    })),
    tokens: map(tokens, (token) => ({ ...token, grants: ofRooms(token.grants) })),
    $typeName: FixtureSchema.typeName,
  }
}

function names(text: string, name: string): boolean {
  return new RegExp(`(?<![a-z0-9-])${name}(?![a-z0-9-])`).test(text)
}

function pick<Thing>(things: Record<string, Thing>, isWanted: (name: string) => boolean) {
  return Object.fromEntries(Object.entries(things).filter(([name]) => isWanted(name)))
}

function map<Thing>(things: Record<string, Thing>, change: (thing: Thing) => Thing) {
  return Object.fromEntries(Object.entries(things).map(([name, thing]) => [name, change(thing)]))
}
