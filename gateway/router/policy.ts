/**
 * Step 2: may it? The facts were settled when the socket joined (R26); this reads them. A direct
 * message needs no right here: whom it can reach is settled when sockets are gathered.
 */
import { Code } from '@porthouse/proto/v1/code'
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import { type Destination, refused } from './destination.ts'

export function permit(destination: Destination, level: number): Destination {
  if (destination.kind === 'refused') return destination
  if (level > ReceiptLevel.STORED) {
    return refused(destination.name, Code.UNIMPLEMENTED, `receipt level ${level} is not known here`)
  }
  if (level === ReceiptLevel.STORED) {
    return refused(destination.name, Code.NO_HISTORY, 'nothing is stored there')
  }
  if (destination.kind === 'room' && !destination.membership.maySend) {
    return refused(destination.name, Code.SEND_NOT_PERMITTED, 'no right to send to this room')
  }
  return destination
}
