/** What a socket may do in a room that it is in, as others may see it. */

import { create } from '@bufbuild/protobuf'
import type { Allowance } from '@porthouse/proto/v1/command'
import { AllowanceSchema } from '@porthouse/proto/v1/command'
import type { Membership } from '../../router/place.ts'

export function allowanceOf({ place, senders, filters, mayAdmit }: Membership): Allowance {
  return create(AllowanceSchema, {
    address: place.address,
    maySend: senders.length > 0,
    listening: filters.size > 0,
    mayAdmit,
  })
}
