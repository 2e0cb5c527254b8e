/** What the store and administration are asked, by method. */
import type { Calls } from '../calls.ts'
import type { Distribution } from '../distribution.ts'
import type { Family, Sample } from './family.ts'

function* outcomes(calls: Calls, label: string): Iterable<Sample> {
  for (const [method, called] of calls) {
    for (const [outcome, value] of called.outcomes)
      yield { value, labels: { method, [label]: outcome } }
  }
}

function* seconds(calls: Calls): Iterable<Sample<Distribution>> {
  for (const [method, called] of calls) yield { value: called.seconds, labels: { method } }
}

export const calls: readonly Family[] = [
  {
    type: 'counter',
    name: 'porthouse_store_calls_total',
    help: 'Questions to the store that were answered: ok, or its failure.',
    labels: ['method', 'outcome'],
    read: ({ store }) => outcomes(store, 'outcome'),
  },
  {
    type: 'histogram',
    name: 'porthouse_store_seconds',
    help: 'How long they took.',
    labels: ['method'],
    read: ({ store }) => seconds(store),
  },
  {
    type: 'counter',
    name: 'porthouse_admin_requests_total',
    help: 'Requests to administration, by what they were answered: ok, or a code.',
    labels: ['method', 'code'],
    read: ({ core }) => outcomes(core.counts.calls, 'code'),
  },
  {
    type: 'histogram',
    name: 'porthouse_admin_seconds',
    help: 'How long they took; of a stream until its end.',
    labels: ['method'],
    read: ({ core }) => seconds(core.counts.calls),
  },
]
