/** Reads all that a room has kept, page by page. */
import type { Frame } from '@porthouse/proto/v1/frame'
import type { Fetched } from '@porthouse/proto/v1/room'
import { type FrameInit, join } from '../../support/client-frames.ts'
import type { Kept, Position } from '../journal.ts'
import { Line, OWN_IDS, type Way } from './line.ts'
import { read } from './subscriber.ts'

const PAGE = 1_000

/** All of it after a position. Rejects where a page is refused. */
export async function readHistory(way: Way, room: string, after = 0): Promise<Kept> {
  const messages: Kept['messages'][number][] = []
  const done = Promise.withResolvers<void>()
  let epoch = 0
  let id = OWN_IDS + 1
  const fetchFrom = (): FrameInit => {
    const sequence = BigInt(messages.at(-1)?.sequence ?? after)
    const range = { case: 'after' as const, value: { epoch: BigInt(epoch), sequence } }
    const value = { address: `room:${room}`, range, limit: PAGE }
    return { id: ++id, body: { case: 'room', value: { action: { case: 'fetch', value } } } }
  }
  const fetched = ({ count, moreAfter, lastSequence }: Fetched) => {
    const last = messages.at(-1)?.sequence ?? after
    if (moreAfter && count > 0) line.send(fetchFrom())
    else if (last === Number(lastSequence)) done.resolve()
    else done.reject(new Error(`${room}: read up to ${last}, and there are ${lastSequence}`))
  }
  const take = ({ id: of, body }: Frame) => {
    if (body.case === 'drop') done.reject(new Error(`a page of ${room}: code ${body.value.code}`))
    if (body.case === 'envelope' && of === id) {
      const { stamp, content } = body.value
      const position: Position = { epoch, sequence: Number(stamp?.sequence) }
      const id = Buffer.from(stamp?.id ?? []).toString('hex')
      messages.push({ id, ...read(content), ...position })
    }
    if (body.case !== 'room') return
    const { action } = body.value
    if (action.case === 'fetched' && of === id) fetched(action.value)
    if (action.case !== 'joined') return
    epoch = Number(action.value.epoch)
    line.send(fetchFrom())
  }
  const line = new Line(way, { enter: () => [join(OWN_IDS + 1, `room:${room}`)], take })
  await done.promise.finally(() => line.close())
  return { room, messages }
}
