/** ListUnread: how much of which rooms has not been read, without being in them (R36). */
import { create, toBinary } from '@bufbuild/protobuf'
import { type ListUnread, type RoomUnread, RoomUnreadSchema } from '@porthouse/proto/v1/command'
import { Blocks } from '../../rooms/blocks/blocks.ts'
import { readUnread } from '../../rooms/blocks/unread.ts'
import type { UnreadCount } from '../../store/history.ts'
import { holderOf } from '../history/backlog.ts'
import type { Session } from '../session.ts'
import { type Page, pageOf } from './page.ts'
import { checkAfter } from './permission.ts'

/** Messages that are counted of one room. */
const COUNTED_MAX = 1_000

interface Readable {
  readonly roomId: string
  readonly address: string
  readonly filters: readonly string[]
}

/** Throws Refusal; rejects with StoreError. */
export async function listUnread(asker: Session, { after }: ListUnread): Promise<Page<RoomUnread>> {
  checkAfter(after)
  const holder = holderOf(asker)
  const rooms = await readableRooms(asker, holder)
  const counts = await asker.core.unread(holder, rooms, COUNTED_MAX)
  const byId = new Map(counts.map((count) => [count.roomId, count]))
  const entries = rooms.flatMap(({ roomId, address }) => {
    const count = byId.get(roomId)
    return count ? [{ address, count }] : []
  })
  return pageOf(entries, after, {
    address: (entry) => entry.address,
    read: unreadIn,
    bytes: (unread) => toBinary(RoomUnreadSchema, unread).length,
  })
}

/** Those with cursors in which the holder has the right to receive. */
async function readableRooms({ core, proofs }: Session, holder: string): Promise<Readable[]> {
  const own = proofs.filter(({ client, token }) => (client?.id ?? token?.id) === holder)
  const readable: Readable[] = []
  for (const { account, grants } of own) {
    if (!account || readable.length > 0) continue
    for (const { id, slug, config } of await core.rooms.list(account.id)) {
      if (!config) continue
      const granted = grants.filter(({ roomId, receive }) => roomId === id && receive)
      const blocks = new Blocks(config)
      if (granted.length === 0 || !readUnread(blocks.of('unread'), blocks).unread) continue
      const filters = granted.flatMap(({ channels }) => (channels.length > 0 ? channels : ['']))
      readable.push({ roomId: id, address: `room:${account.slug}/${slug}`, filters })
    }
  }
  return readable
}

function unreadIn({ address, count }: { address: string; count: UnreadCount }): RoomUnread {
  return create(RoomUnreadSchema, {
    address,
    epoch: BigInt(count.epoch),
    cursor: BigInt(count.cursor),
    lastSequence: BigInt(count.last),
    count: count.count,
  })
}
