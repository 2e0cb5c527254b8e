import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Joined, JoinSchema } from '@porthouse/proto/v1/room'
import { splitRoom } from './address.ts'
import type { Body } from './packet.ts'
import type { Position } from './position.ts'
import { asFrame, type Question } from './queue.ts'
import type { Stay } from './room.ts'

export type Backlog = NonNullable<MessageInitShape<typeof JoinSchema>['backlog']>

/** What asks to enter a place; `backlog`, for a listener, what is to come of the past. */
export function joinBody(address: string, stay: Stay, backlog: Backlog | undefined): Body {
  const { listening, replayed = false, presence = false } = stay
  const join = { address, sendOnly: !listening, replayed, presence, ...(backlog && { backlog }) }
  return { case: 'room', value: { action: { case: 'join', value: join } } }
}

/** The same as a question; `enter` is called with the answer before what follows it is handled. */
export function joinQuestion<T>(
  address: string,
  body: Body,
  { repeatable, enter }: { repeatable: boolean; enter: (joined: Joined) => T },
): Question<T> {
  return {
    bytes: address.length + 64,
    repeatable,
    place: splitRoom(address).room,
    encode: asFrame(body),
    read(answer) {
      if (answer.case !== 'room' || answer.value.action.case !== 'joined') return undefined
      return enter(answer.value.action.value)
    },
  }
}

/** All after where a listener was. */
export function after(position: Required<Position> | undefined): Backlog | undefined {
  return position && { case: 'after', value: position }
}
