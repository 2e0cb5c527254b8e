/** `porthouse why`: what became of a message, or would become of one, as the API tells it (R49). */
import { create, toJson } from '@bufbuild/protobuf'
import {
  ExplainSendRequestSchema,
  ExplainSendResponseSchema,
  ExplainService,
} from '@porthouse/proto/admin/v1/explain_service'
import { type Trail, TrailSchema } from '@porthouse/proto/admin/v1/trail'
import { accountIn, withKind } from '../../protocol/address.ts'
import { usage } from '../failure.ts'
import { clientName, idOf, nameOf } from '../names.ts'
import { printJson } from '../output.ts'
import { accountResource } from '../resource.ts'
import { type Admin, type AdminOptions, withAdmin } from '../with-admin.ts'
import { linesOf } from './config-lines.ts'
import { printTrail } from './path.ts'

interface WhyOptions extends AdminOptions {
  readonly send?: readonly string[]
  readonly account?: string
  readonly as?: string
  readonly tokenId?: string
  readonly key?: boolean
  readonly socket?: string
  readonly text?: string
  readonly bytes?: string
  readonly contentType?: string
}

const SHOWN = { alwaysEmitImplicit: true }

export async function why(id: string | undefined, options: WhyOptions): Promise<void> {
  if ((id === undefined) === (options.send === undefined)) {
    throw usage('write the id of a message, or --send and where one would go')
  }
  await (id === undefined ? whySend(options) : whyMessage(id, options))
}

async function whyMessage(typed: string, options: WhyOptions): Promise<void> {
  const name = `messages/${idOf(uuidOf(typed), 'message', 'it is in its receipt')}`
  await withAdmin(options, async (admin) => {
    const trail = await admin(ExplainService).explainMessage({ name })
    if (options.json) return printJson(toJson(TrailSchema, trail, SHOWN))
    await print(trail, admin)
  })
}

/** Receipts in Protobuf JSON, as of POST /v1/messages, have the id in base64. */
function uuidOf(typed: string): string {
  if (!/^[\w+/-]{22}(==)?$/.test(typed)) return typed
  const hex = Buffer.from(typed, 'base64').toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

async function whySend(options: WhyOptions): Promise<void> {
  const request = requestOf(options)
  await withAdmin(options, async (admin) => {
    const answer = await admin(ExplainService).explainSend(request)
    if (options.json) return printJson(toJson(ExplainSendResponseSchema, answer, SHOWN))
    if (answer.trail) await print(answer.trail, admin)
  })
}

async function print(trail: Trail, admin: Admin): Promise<void> {
  printTrail(trail, await linesOf(trail, admin))
}

function requestOf(options: WhyOptions) {
  const { send = [], as, tokenId, key: owner = false, socket, text, bytes, contentType } = options
  const to = send.map(withKind)
  const account = options.account ?? accountNamed(as, to)
  const parent = accountResource(account)
  const client = as?.includes('/') ? clientName(as).client : as && nameOf(as, 'client')
  if (text !== undefined && bytes !== undefined)
    throw usage('--text and --bytes exclude each other')
  return create(ExplainSendRequestSchema, {
    parent,
    ...(client && { client: `${parent}/clients/${client}` }),
    ...(tokenId && { token: `${parent}/tokens/${idOf(tokenId, 'token', 'see token list')}` }),
    owner,
    ...(socket && { socket: `sockets/${socket.replace(/^socket:/, '')}` }),
    to,
    content: contentOf(text, bytes),
    ...(contentType && { contentType }),
  })
}

function contentOf(text: string | undefined, bytes: string | undefined) {
  if (text !== undefined) return { case: 'text' as const, value: text }
  if (bytes === undefined) return { case: undefined }
  if (!/^\d{1,9}$/.test(bytes)) throw usage(`--bytes ${bytes} is not a whole number`)
  return { case: 'contentBytes' as const, value: Number(bytes) }
}

/** As the client is written, else as the first address has it. */
function accountNamed(as: string | undefined, [first = '']: readonly string[]): string {
  const named = as?.includes('/') ? clientName(as).account : accountIn(first)
  if (named) return named
  throw usage('--account NAME says whose sender it is')
}
