/** Block groups: named sets of members that can be sent to (R27, R32). */
import { Delivery, DeliverySchema, type Group, type Groups } from '@porthouse/proto/room/v1/groups'
import { type Fault, thrown } from '../../locks/fault.ts'
import { checkSlug, parseName } from '../../protocol/name.ts'
import type { RoomConfig } from '../config.ts'
import { known, notOver } from './bounds.ts'

const GROUPS_MAX = 64
const CLIENTS_MAX = 1_024

export function readGroups(block: Groups | undefined): Pick<RoomConfig, 'groups'> {
  const groups = (block?.groups ?? []).map(({ name, clients, open, delivery }) => ({
    name,
    clients,
    open,
    delivery: delivery === Delivery.ONE ? ('one' as const) : ('all' as const),
  }))
  return { groups }
}

export function* checkGroups({ groups }: Groups): Iterable<Fault> {
  yield* notOver('groups', groups, GROUPS_MAX)
  const names = new Set<string>()
  for (const [i, group] of groups.slice(0, GROUPS_MAX).entries()) {
    const path = `groups[${i}]`
    if (names.has(group.name)) yield { path: `${path}.name`, reason: 'another group has it' }
    names.add(group.name)
    yield* checkGroup(path, group)
  }
}

function* checkGroup(path: string, { name, clients, delivery }: Group): Iterable<Fault> {
  yield* thrown(`${path}.name`, () => checkSlug(name, 'group'))
  yield* known(`${path}.delivery`, delivery, DeliverySchema)
  yield* notOver(`${path}.clients`, clients, CLIENTS_MAX)
  for (const [i, client] of clients.slice(0, CLIENTS_MAX).entries()) {
    yield* thrown(`${path}.clients[${i}]`, () => parseName(client, 'client'))
  }
}
