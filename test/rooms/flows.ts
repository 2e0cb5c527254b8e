/** How the tests of rooms read flows: `token` is the one acceptor there is. */
import type { Acceptor } from '../../gateway/locks/acceptor.ts'
import { tokenAcceptor } from '../../gateway/locks/acceptors/token.ts'
import type { FlowReader } from '../../gateway/rooms/config.ts'
import type { Store } from '../../gateway/store/store.ts'
import { MemoryStore } from '../support/memory-store.ts'

const token = tokenAcceptor({ store: new MemoryStore() as unknown as Store })

export const flows: FlowReader = {
  acceptors: new Map([['token', token as Acceptor]]),
  defaults: { tries: 3, deadlineMs: 10_000 },
}
