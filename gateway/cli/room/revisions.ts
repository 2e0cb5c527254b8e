/** `porthouse room revisions | diff | rollback`: the configs that a room has had (R19). */
import { RoomService } from '@porthouse/proto/admin/v1/room_service'
import { usage } from '../failure.ts'
import { harmless, print, printJson, printTable, styled, warn } from '../output.ts'
import { addressOf, roomResource, timeOf } from '../resource.ts'
import { type AdminOptions, everyOf, withAdmin } from '../with-admin.ts'
import { configTold, readableTold } from './failure.ts'
import { forScripts, type ShowOptions } from './room.ts'

export async function listRevisions(typed: string, options: AdminOptions): Promise<void> {
  const parent = roomResource(typed)
  const revisions = await withAdmin(options, (admin) =>
    everyOf(
      (page) => admin(RoomService).listRoomRevisions({ parent, ...page }),
      (page) => page.revisions,
    ),
  )
  const rows = revisions.map(({ revision, author, createTime, unreadable }) => {
    const createdAt = timeOf(createTime!)
    return { revision, author, createdAt, ...(unreadable && { unreadable }) }
  })
  if (options.json) return printJson(rows)
  printTable(
    ['revision', 'created', 'author'],
    rows.map(({ revision, createdAt, author, unreadable: isLater }) => {
      const note = isLater ? ' (of a later version of porthouse)' : ''
      return [String(revision), createdAt, `${harmless(author)}${note}`]
    }),
  )
}

/** Of the two, `to` is the latest where it is absent, and `from` the one before it. */
export async function diffRevisions(
  typed: string,
  from: string | undefined,
  to: string | undefined,
  options: ShowOptions,
): Promise<void> {
  const name = roomResource(typed)
  const [fromRevision, toRevision] = [from, to].map((each) => (each ? revisionOf(each) : undefined))
  const request = {
    name,
    ...(fromRevision !== undefined && { fromRevision }),
    ...(toRevision !== undefined && { toRevision }),
    ...(options.reveal && { revealSecrets: true }),
  }
  const diff = await readableTold(
    withAdmin(options, (admin) => admin(RoomService).diffRoomRevisions(request)),
    `a config of ${typed}`,
    typed,
  )
  const { fromRevision: first, toRevision: last, text } = diff
  const blocks = diff.blocks.map(({ kind }) => kind)
  if (options.json) return printJson({ from: first, to: last, blocks, diff: text })
  for (const line of text.split('\n').slice(0, -1)) print(coloured(harmless(line)))
  if (text !== '') return
  warn(blocks.length > 0 ? 'secrets alone differ; --reveal shows them' : 'the two are the same')
}

export async function rollBack(
  typed: string,
  number: string,
  options: AdminOptions,
): Promise<void> {
  const name = roomResource(typed)
  const revision = revisionOf(number)
  const room = await configTold(
    readableTold(
      withAdmin(options, (admin) => admin(RoomService).rollbackRoom({ name, revision })),
      `revision ${revision} of ${typed}`,
      typed,
    ),
  )
  if (options.json) return printJson(forScripts(room))
  print(`room ${addressOf(room.name)} has config ${room.revision}, which is that of ${revision}`)
}

function revisionOf(typed: string): number {
  if (!/^\d{1,9}$/.test(typed)) throw usage(`${typed} is no revision, which is a number`)
  return Number(typed)
}

const COLOURS = new Map<string | undefined, 'green' | 'red' | 'cyan'>([
  ['+', 'green'],
  ['-', 'red'],
  ['@', 'cyan'],
])

function coloured(line: string): string {
  const colour = COLOURS.get(line[0])
  return colour ? styled(colour, line) : line
}
