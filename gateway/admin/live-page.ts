/** Pages of lists of what is live: in the order of their names, for what is live has no other. */
import { type DescMessage, type MessageShape, toBinary, toJsonString } from '@bufbuild/protobuf'
import type { HandlerContext } from '@connectrpc/connect'
import { pageOf } from '../session/commands/page.ts'
import { callOf } from './calls/call.ts'
import type { PageRequest, Pages } from './pages.ts'

/** One answer: with fewer entries than were asked for it is better read than with many MiB. */
const ANSWER_BYTES_MAX = 1_048_576

interface Listing<From, Desc extends DescMessage> {
  /** In any order. */
  readonly all: Iterable<From>
  /** Of its own; the page is in the order of these. */
  readonly name: (entry: From) => string
  readonly read: (entry: From) => MessageShape<Desc>
  readonly schema: Desc
}

export function livePage<Request extends PageRequest, From, Desc extends DescMessage>(
  pages: Pages,
  request: Request,
  context: HandlerContext,
  { all, name, read, schema }: Listing<From, Desc>,
): { entries: MessageShape<Desc>[]; nextPageToken: string } {
  const query = queryOf(request, context)
  const { limit, after } = pages.page<string>(request, query)
  const { entries, more } = pageOf(
    all,
    after ?? '',
    {
      address: name,
      read: (entry) => ({ message: read(entry), name: name(entry) }),
      bytes: ({ message }) => toBinary(schema, message).length,
    },
    { entries: limit, bytes: ANSWER_BYTES_MAX },
  )
  const nextPageToken = more ? pages.token(entries.at(-1)?.name, query) : ''
  return { entries: entries.map(({ message }) => message), nextPageToken }
}

/** All that was asked, but which page of it. */
function queryOf(request: PageRequest, context: HandlerContext): string[] {
  const { method } = context
  const whole = { ...request, pageSize: 0, pageToken: '' } as never
  return [callOf(context).principal.id, method.name, toJsonString(method.input, whole)]
}
