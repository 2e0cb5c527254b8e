/** `porthouse message …`: what a room keeps, and how far who has read (R36). */
import {
  type Cursor,
  CursorSchema,
  type Message,
  MessageSchema,
  MessageService,
} from '@porthouse/proto/admin/v1/message_service'
import { parseLast } from '../quantity.ts'
import { addressOf, idIn, roomResource } from '../resource.ts'
import { type AdminOptions, everyOf, withAdmin } from '../with-admin.ts'
import { type Columns, printItems } from './shown.ts'

interface FetchOptions extends AdminOptions {
  readonly channel?: string
  readonly last: string
}

const MESSAGES: Columns<Message> = {
  position: ({ envelope }) => `${envelope?.stamp?.sequence ?? 0n}`,
  id: ({ name }) => idIn(name),
  from: ({ envelope }) => envelope?.stamp?.from ?? '',
  content: ({ envelope }) => contentOf(envelope),
}

const CURSORS: Columns<Cursor> = {
  who: ({ holder }) => (holder.includes('/clients/') ? addressOf(holder) : `token ${idIn(holder)}`),
  'read up to': ({ position }) => `${position?.sequence ?? 0n}`,
}

/** The last ones, in their order. */
export async function fetchMessages(
  room: string,
  { json, channel = '', last, ...options }: FetchOptions,
): Promise<void> {
  const query = { parent: roomResource(room), channel }
  const max = parseLast(last)
  const pages = await withAdmin(options, (admin) =>
    everyOf(
      (page) => admin(MessageService).fetchMessages({ ...query, ...page }),
      // Each page is of earlier ones than the page before.
      ({ messages }) => messages.toReversed(),
      max,
    ),
  )
  printItems(MessageSchema, pages.slice(0, max).reverse(), MESSAGES, json)
}

export async function listCursors(room: string, options: AdminOptions): Promise<void> {
  const parent = roomResource(room)
  const cursors = await withAdmin(options, (admin) =>
    everyOf(
      (page) => admin(MessageService).listCursors({ parent, ...page }),
      (page) => page.cursors,
    ),
  )
  printItems(CursorSchema, cursors, CURSORS, options.json)
}

function contentOf(envelope: Message['envelope']): string {
  const { content } = envelope ?? {}
  if (content?.case === 'text') return content.value
  return content?.case === 'payload' ? `${content.value.length} bytes` : ''
}
