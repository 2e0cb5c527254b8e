import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fullAddress, hears, splitRoom } from '../../clients/ts/src/address.ts'
import { matchesChannel } from '../../gateway/protocol/channel.ts'

const level = fc.constantFrom('a', 'b', 'c', 'temp')
const channel = fc.array(level, { maxLength: 4 }).map((levels) => levels.join('/'))
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('*')), { maxLength: 4 }), fc.boolean())
  .map(([levels, deep]) => [...levels, ...(deep ? ['**'] : [])].join('/'))

test('the client hears a channel where the gateway says that a filter matches it', () => {
  fc.assert(
    fc.property(filter, channel, (filter, channel) => {
      expect(hears(filter, channel)).toBe(
        filter === '' || (channel !== '' && matchesChannel(filter, channel)),
      )
    }),
  )
})

test('an address falls into its room and the channel, and "room:" may be left out', () => {
  expect(fullAddress('acme/boiler')).toBe('room:acme/boiler')
  expect(fullAddress('acme/boiler/a:b')).toBe('room:acme/boiler/a:b')
  expect(fullAddress('client:acme/bob')).toBe('client:acme/bob')
  expect(splitRoom('room:acme/boiler')).toEqual({ room: 'room:acme/boiler', channel: '' })
  expect(splitRoom('room:acme/boiler/a/b')).toEqual({ room: 'room:acme/boiler', channel: 'a/b' })
})
