/** What stands on the lines of rooms' configs that decided, as they are now. */
import { type JsonValue, toJson } from '@bufbuild/protobuf'
import { RoomService } from '@porthouse/proto/admin/v1/room_service'
import type { Trail } from '@porthouse/proto/admin/v1/trail'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import type { Admin } from '../with-admin.ts'

/** The value of a line, by `decided_by`; of one that is there no more there is none. */
export type ConfigLines = ReadonlyMap<string, string>

/** `config room:acme/boiler blocks[2].limits.payloadBytes` */
const LINE = /^config room:([^/ ]+)\/(\S+) (blocks\[\d+\]\S*)$/

/** A room's secrets are masked, and one that the caller may not read has no lines. */
export async function linesOf({ steps }: Trail, admin: Admin): Promise<ConfigLines> {
  const wanted = new Set(steps.map(({ decidedBy }) => decidedBy))
  const found = await Promise.all([...wanted].map((line) => valueOn(line, admin)))
  return new Map(found.flatMap((each) => each ?? []))
}

async function valueOn(
  line: string,
  admin: Admin,
): Promise<readonly [line: string, value: string][]> {
  const [, account, room, path = ''] = LINE.exec(line) ?? []
  if (!account) return []
  const name = `accounts/${account}/rooms/${room}`
  const { config } = await admin(RoomService)
    .getRoom({ name })
    .catch(() => ({ config: undefined }))
  const value = config && valueAt(toJson(ConfigSchema, config), path)
  return value === undefined ? [] : [[line, JSON.stringify(value)]]
}

function valueAt(config: JsonValue, path: string): JsonValue | undefined {
  const keys = path.split(/[.[\]]+/).filter((key) => key !== '')
  return keys.reduce<unknown>(
    (node, key) => (node as Record<string, unknown> | undefined)?.[key],
    config,
  ) as JsonValue | undefined
}
