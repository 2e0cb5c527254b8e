/** What a socket may do in a room that it is in, as others may see it. */

import { create } from '@bufbuild/protobuf'
import type { Allowance } from '@porthouse/proto/v1/command'
import { AllowanceSchema } from '@porthouse/proto/v1/command'
import type { Membership } from '../../router/membership.ts'

export function allowanceOf({ place, senders, filters, mayAdmit }: Membership): Allowance {
  return create(AllowanceSchema, {
    address: place.address,
    maySend: senders.length > 0,
    listening: filters.size > 0,
    mayAdmit,
  })
}

/** What several sockets may do in one room, taken together; there is one at least. */
export function anyOf(allowances: readonly Allowance[]): Allowance {
  return create(AllowanceSchema, {
    address: allowances[0]?.address ?? '',
    maySend: allowances.some(({ maySend }) => maySend),
    listening: allowances.some(({ listening }) => listening),
    mayAdmit: allowances.some(({ mayAdmit }) => mayAdmit),
  })
}
