/** What a process does, by names, presets and what is left out (R47). */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FEATURES, PRESETS } from '../../gateway/config/features.ts'
import { loadConfig } from '../../gateway/config/load.ts'

function featuresOf(text: string): readonly string[] {
  return loadConfig({ env: { PORTHOUSE_FEATURES: text } }).config.features
}

test.each([
  ['', FEATURES],
  ['all', FEATURES],
  ['mqtt-front', ['mqtt', 'admin', 'metrics']],
  ['api', ['login', 'admin', 'messages', 'metrics', 'why']],
  ['mqtt-front,why', ['mqtt', 'admin', 'metrics', 'why']],
  ['why,mqtt,why', ['mqtt', 'why']],
  ['all,-teleprinter', FEATURES.filter((one) => one !== 'teleprinter')],
  ['-teleprinter', FEATURES.filter((one) => one !== 'teleprinter')],
  ['all,-mqtt-front,mqtt', FEATURES.filter((one) => one !== 'admin' && one !== 'metrics')],
  ['mqtt,-mqtt', []],
])('%j is %j', (text, expected) => {
  expect(featuresOf(text)).toEqual(expected)
})

test('each name that is given is on or off as it is given last', () => {
  const names = [...FEATURES, ...Object.keys(PRESETS)]
  const item = fc.tuple(fc.constantFrom('', '-'), fc.constantFrom(...names))
  fc.assert(
    fc.property(fc.array(item, { minLength: 1, maxLength: 6 }), (items) => {
      const on = featuresOf(items.map(([sign, name]) => sign + name).join(','))
      for (const feature of FEATURES) {
        const about = items.findLast(([, name]) => (PRESETS[name] ?? [name]).includes(feature))
        const fallback = items[0]?.[0] === '-'
        expect(on.includes(feature)).toBe(about ? about[0] === '' : fallback)
      }
    }),
  )
})

test.each(['websockets', '--mqtt', 'constructor', '__proto__', 'ALL', '-', 'all mqtt'])(
  '%s is none, and is told what is',
  (name) => {
    expect(() => featuresOf(name)).toThrow(
      `features is ${JSON.stringify(name)} (PORTHOUSE_FEATURES); allowed is a list of websocket,`,
    )
  },
)
