/** `porthouse technical …`: what happens to sockets, as it happens (R10), and notices to them. */
import { toJson } from '@bufbuild/protobuf'
import {
  TechnicalService,
  type WatchTechnicalResponse,
} from '@porthouse/proto/admin/v1/technical_service'
import { Code } from '@porthouse/proto/v1/code'
import { type Event, EventKindSchema, EventSchema } from '@porthouse/proto/v1/event'
import { codeInfo } from '../../protocol/codes.ts'
import { harmless, print, printJson, warn } from '../output.ts'
import { parseCount } from '../quantity.ts'
import { ALL, parentResource } from '../resource.ts'
import { type AdminOptions, withAdmin } from '../with-admin.ts'
import { follow, printDone } from './shown.ts'

interface WatchOptions extends AdminOptions {
  readonly count?: string
}

export async function watchTechnical(
  account: string | undefined,
  { json, count, ...options }: WatchOptions,
): Promise<void> {
  const parent = parentResource(account ?? ALL)
  const max = count === undefined ? Number.POSITIVE_INFINITY : parseCount(count)
  let told = 0
  let isFirst = true
  const take = ({ events, missed }: WatchTechnicalResponse): boolean => {
    if (isFirst) warn('watching')
    isFirst = false
    if (missed > 0n) warn(`${missed} events were left out: this reader is too slow`)
    for (const event of events.slice(0, max - told)) {
      if (json) printJson(toJson(EventSchema, event))
      else print(lineOf(event))
      told++
    }
    return told < max
  }
  await withAdmin(options, (admin) =>
    follow((call) => admin(TechnicalService).watchTechnical({ parent }, call), take),
  )
}

export async function announce(
  account: string,
  text: string,
  { json, ...options }: AdminOptions,
): Promise<void> {
  const parent = parentResource(account)
  await withAdmin(options, (admin) => admin(TechnicalService).announce({ parent, detail: text }))
  printDone(json, { announced: text }, 'announced')
}

function lineOf({ kind, socket, identities, place, lock, acceptor, code, timeMs, detail }: Event) {
  const name = EventKindSchema.value[kind]?.localName.toLowerCase() ?? 'event'
  const parts = [
    new Date(Number(timeMs)).toISOString(),
    name.padEnd(9),
    socket,
    ...identities,
    place,
    lock && `${lock} (${acceptor})`,
    code === Code.UNSPECIFIED ? '' : codeInfo(code).name,
    detail,
  ]
  return harmless(parts.filter((part) => part !== '').join('  '))
}
