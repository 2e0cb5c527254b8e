/** The acceptors as a command needs them: to read flows and to look on, never to let anybody in. */
import { randomBytes } from 'node:crypto'
import type { Config } from '../config/config.ts'
import type { Acceptor } from '../locks/acceptor.ts'
import { builtInAcceptors } from '../locks/acceptors/index.ts'
import { Providers } from '../locks/acceptors/oidc/provider.ts'
import type { Log } from '../observe/log.ts'
import type { FlowReader } from '../rooms/config.ts'
import type { Store } from '../store/store.ts'

/** Reads flows as the gateway with these settings does. */
export function flowReader(store: Store, { limbo }: Config, log: Log): FlowReader {
  const acceptors = new Map<string, Acceptor>()
  const defaults = { tries: limbo.tries, deadlineMs: limbo.deadlineMs }
  const parts = {
    store,
    urls: () => [],
    random: randomBytes,
    clock: Date.now,
    trustsPage: () => false,
    providers: new Providers(),
    log,
    acceptors: () => acceptors,
    defaults,
  }
  for (const acceptor of builtInAcceptors(parts)) acceptors.set(acceptor.name, acceptor)
  return { acceptors, defaults }
}
