/** Whatever a config says, it is either told to be wrong or can be used (R19). */
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { changedKinds } from '../../gateway/rooms/blocks/changed.ts'
import { checkConfig, readConfig } from '../../gateway/rooms/config.ts'
import { messageOf } from './arbitrary-message.ts'
import { flows } from './flows.ts'

const anyConfig = messageOf(ConfigSchema)
const usableConfig = anyConfig.filter((config) => checkConfig(config, flows).length === 0)

/** Of a block, or of a field in it. */
const PATH = /^blocks\[\d+\](?:\.[a-z]+(?:\[\d+\])?)*$/i

const within = (max: number) => (value: number) => value >= 1 && value <= max

test('any config has faults, or is read and is within its bounds', () => {
  let usable = 0
  fc.assert(
    fc.property(anyConfig, (config) => {
      const before = structuredClone(config)
      const faults = checkConfig(config, flows)
      expect(config).toEqual(before)
      for (const { path, reason } of faults) {
        expect(path).toMatch(PATH)
        expect(reason).not.toBe('')
      }
      if (faults.length > 0) return
      usable++
      const { history, retention, unread, ...read } = readConfig(config, flows)
      if (history.keep !== 'durable') expect([retention, unread]).toEqual([{}, false])
      for (const rate of [read.limits.socketRate, read.limits.roomRate]) {
        if (rate) expect(rate.perSecond > 0 && rate.burst >= 1 && rate.burst < Infinity).toBe(true)
      }
      expect(history.window.messages).toSatisfy(within(10_000))
      if (read.presence) expect(read.presence.members).toSatisfy(within(10_000))
      if (read.program) expect(read.program.budgetMs).toSatisfy(within(5_000))
    }),
    { numRuns: 2_000 },
  )
  expect(usable).toBeGreaterThan(100)
})

test('what differs between two configs is the same from either side, in one nothing', () => {
  fc.assert(
    fc.property(usableConfig, usableConfig, (one, other) => {
      expect(changedKinds(one, structuredClone(one))).toEqual([])
      expect(changedKinds(one, other)).toEqual(changedKinds(other, one))
    }),
  )
})
