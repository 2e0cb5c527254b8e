import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  checkTopic,
  filterError,
  isShared,
} from '../../../gateway/ingress/mqtt/wire/check/topic.ts'
import { MqttError } from '../../../gateway/ingress/mqtt/wire/mqtt-error.ts'

describe('filters', () => {
  test.each([
    'a',
    '/',
    '//',
    '#',
    '+',
    '+/+',
    '/#',
    '+/#',
    'a/+/b',
    'acme/boiler/#',
    'acme/boiler/+',
    '$SYS/#',
    '$share',
    '$share/g/#',
    '$share/g/a/+',
    '$share/g//',
    '$shared/+',
    '__proto__',
    'constructor/#',
    'é/\u{1f600}/#',
    ' ',
    'a/'.repeat(5_000),
  ])('%j is one', (filter) => expect(filterError(filter)).toBeUndefined())

  test.each([
    '',
    'a#',
    '#a',
    '##',
    'a/#/b',
    '#/a',
    '#/',
    'a/b#',
    '+a',
    'a+',
    '++',
    'a+/b',
    'a/+b',
    '+#',
    '$share/',
    '$share/g',
    '$share/g/',
    '$share//',
    '$share//x',
    '$share/g+/x',
    '$share/#/x',
    '$share/+/x',
    '$share/g/a#',
    '$share/g/a/#/b',
    `${'a/'.repeat(5_000)}a#`,
  ])('%j is none', (filter) => expect(filterError(filter)).toMatch(/^\w.+[^.]$/))

  test('is one where its levels, one by one, are', () => {
    const level = fc.constantFrom('', 'a', '+', '#', 'a+', '#a', '##', '$share', 'é')
    fc.assert(
      fc.property(fc.array(level, { minLength: 1, maxLength: 6 }), (levels) => {
        const filter = levels.join('/')
        fc.pre(filter !== '' && !isShared(filter))
        const wrong = levels.some(
          (each, i) =>
            (each.length > 1 && /[+#]/.test(each)) || (each === '#' && i < levels.length - 1),
        )
        expect(filterError(filter) !== undefined).toBe(wrong)
        const shared = filterError(`$share/group/${filter}`)
        expect(shared !== undefined).toBe(wrong)
      }),
    )
  })
})

describe('topics', () => {
  test.each(['a', '/', 'a/b', '$share/g/a', '$SYS', ' ', '__proto__', 'a*'])('%j is one', (topic) =>
    expect(() => checkTopic(topic)).not.toThrow(),
  )

  test.each(['', '#', '+', 'a/#', 'a/+/b', 'a#', '+a'])('%j is none', (topic) =>
    expect(() => checkTopic(topic)).toThrow(MqttError),
  )
})
