/** Which gateway it is. */

import { digestOf } from '../../config/digest.ts'
import { VERSION as version } from '../version.ts'
import type { Family } from './family.ts'

export const build: readonly Family[] = [
  {
    type: 'gauge',
    name: 'porthouse_build_info',
    help: 'Always 1: the version is in the label.',
    labels: ['version'],
    read: () => [{ value: 1, labels: { version } }],
  },
  {
    type: 'gauge',
    name: 'porthouse_config_info',
    help: 'Always 1: gateways with the same digest have the same settings, secrets aside.',
    labels: ['digest'],
    read: ({ config }) => [{ value: 1, labels: { digest: digestOf(config) } }],
  },
]
