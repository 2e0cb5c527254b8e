/**
 * Every metric of a gateway, in the order of docs/metrics.md, which is rendered from here. Nothing
 * of it is worked out before somebody scrapes.
 */
import { MEDIA, REFUSED } from '../counts.ts'
import { build } from './build.ts'
import { calls } from './calls.ts'
import type { Family } from './family.ts'
import { history } from './history.ts'
import { messages } from './messages.ts'
import { mqtt } from './mqtt.ts'
import { programs } from './programs.ts'
import { slow } from './slow.ts'
import { sockets } from './sockets.ts'

export const FAMILIES: readonly Family[] = [
  ...sockets,
  ...messages,
  ...slow,
  ...history,
  ...mqtt,
  ...programs,
  ...calls,
  ...build,
]

/** What the values of a label are. */
export const LABELS: Readonly<Record<string, string>> = {
  medium: MEDIA.map((medium) => `\`${medium}\``).join(', '),
  state: '`limbo`: nothing is proved yet (R14); `unlocked`',
  status: 'of `RECEIPT_STATUS`: `accepted`, `routed`, `stored`, `void`, `duplicate`, `rejected`',
  of: REFUSED.map((refused) => `\`${refused}\``).join(', '),
  code: 'the name of a [code](codes.md); of administration also `ok`',
  acceptor: 'an [acceptor](acceptors/README.md) of this gateway',
  outcome: 'of a login `passed`, `failed`, `unavailable`; of the store `ok` or its failure',
  phase:
    '`transport`: it does not read; `unacknowledged`: it does not acknowledge (MQTT); ' +
    '`catching-up`: it is given what it has missed; what it has sent waits: `held` behind a lock ' +
    "or an entry, for a room's `program`, for the `store`",
  policy: 'of the block `slow_consumers`: `drop_oldest`, `drop_newest`, `conflate`',
  method: 'of the store `part.method`; of administration `service/method`',
  version: 'as `porthouse --version` has it',
  digest: 'the first half of a hash',
  le: 'the upper bound of a bucket, as Prometheus has it',
}
