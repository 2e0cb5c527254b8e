/** Gateways that truncate: what no gateway may say ends it, or does no harm. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bytesOf, goldenFrames } from '../../support/golden-frames.ts'
import { Midst } from './midst.ts'

let midst: Midst
beforeEach(async () => {
  midst = await Midst.open()
})
afterEach(() => midst.close())

describe('a gateway that truncates', () => {
  test.each(goldenFrames().filter(([, { refused, hex }]) => refused && hex))(
    '%s is refused by its code, or does no harm',
    async (_, golden) => {
      midst.line.sendBytes(bytesOf(golden))
      midst.line.close(4539)
      const { error } = await midst.closed
      expect(error).toMatchObject({ name: 'PorthouseError', temporary: false })
      expect(['MALFORMED_PACKET', 'FRAME_NOT_ALLOWED', 'ROOM_UNKNOWN']).toContain(error?.code)
    },
  )
})
