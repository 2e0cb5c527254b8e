/** Flows as the gateway reads them. */
import { createCore } from '../gateway.ts'
import type { FlowReader } from '../rooms/config.ts'
import type { Store } from '../store/store.ts'
import type { Around } from './with-store.ts'

export function flowReader(store: Store, { config, log }: Around): FlowReader {
  const { acceptors } = createCore({ config, store, log })
  const { tries, deadlineMs } = config.limbo
  return { acceptors, defaults: { tries, deadlineMs } }
}
