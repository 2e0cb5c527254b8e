/**
 * What messages pass in a room that stores none, while some who listen there are away: who is there
 * hears them at once, and what is kept for the others is stored before it is acknowledged. So an
 * acknowledgement holds for them as well, whatever becomes of the gateway.
 */
import { Step } from '@porthouse/proto/admin/v1/trail'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../../protocol/codes.ts'
import { deliver } from '../../../router/deliver.ts'
import { refused } from '../../../router/destination.ts'
import { type Intake, ownOf } from '../../../router/intake.ts'
import type { QueueWriter } from './queue-writer.ts'

/** It was heard, and will be stored: it is not said that it never happens. */
const UNCERTAIN = new Refusal(Code.UNCERTAIN, 'the store has not answered yet')
const LOST = refused('', Code.INTERNAL, 'it could not be kept for those who are away')

export function awayIntake(writer: QueueWriter): Intake {
  return {
    take(waiting) {
      const { place, message, sender, leg, waiter } = waiting
      message.sequence = place.sequence + 1
      const before = writer.added
      const end = deliver(place, ownOf(waiting), sender, leg)
      if (writer.added === before) return waiter.settle(end)
      leg?.waits(Step.STORE)
      waiter.accept()
      writer.expect(before, {
        ended: (isStored) => {
          if (isStored) leg?.goesOn()
          waiter.settle(isStored ? end : LOST)
        },
        late: () => waiter.doubt(UNCERTAIN),
      })
    },
  }
}
