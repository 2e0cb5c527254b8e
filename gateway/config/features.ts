/** What a process does (R47): features by name, presets of them, and what is left out. */
import { z } from 'zod'
import { split } from './setting.ts'

export const FEATURES = [
  'websocket',
  'mqtt',
  'teleprinter',
  'login',
  'programs',
  'admin',
  'messages',
  'metrics',
  'why',
  'traces',
] as const

export type Feature = (typeof FEATURES)[number]

export const PRESETS: Readonly<Record<string, readonly Feature[]>> = {
  all: FEATURES,
  'mqtt-front': ['mqtt', 'admin', 'metrics'],
  api: ['admin', 'messages', 'login', 'metrics', 'why'],
}

/** What a name stands for; undefined where nothing is called so. */
const MEANT = new Map<string, readonly Feature[]>([
  ...Object.entries(PRESETS),
  ...FEATURES.map((feature): [string, Feature[]] => [feature, [feature]]),
])

/**
 * A list that is read from left to right: a feature or preset adds, with `-` before it takes away;
 * one that begins with `-` begins with all. The value has each feature once, in their own order.
 */
export function features() {
  const names = z.array(z.string().refine((item) => MEANT.has(item.replace(/^-/, ''))))
  return z
    .preprocess((raw) => (typeof raw === 'string' ? split(raw) : raw), names)
    .prefault(['all'])
    .transform(featuresOf)
    .meta({
      allowed:
        `a list of ${FEATURES.join(', ')}, or of the presets ${Object.keys(PRESETS).join(', ')}; ` +
        'with - before it, one is left out, as in all,-teleprinter',
      meaning: 'what this process does (R47)',
    })
}

function featuresOf(items: readonly string[]): Feature[] {
  const on = new Set<Feature>(items[0]?.startsWith('-') ? FEATURES : [])
  for (const item of items) {
    const off = item.startsWith('-')
    for (const feature of MEANT.get(off ? item.slice(1) : item) ?? []) {
      if (off) on.delete(feature)
      else on.add(feature)
    }
  }
  return FEATURES.filter((feature) => on.has(feature))
}
