/** The oracle of what MQTT clients publish names each planted fault, and nothing else. */
import { expect, test } from 'vitest'
import { judgePublished, type Published } from './mqtt-oracle.ts'

const ROOM = 'acme/yard'

function said(seq: number, is: Partial<Published> = {}): Published {
  return {
    ...{ room: ROOM, publisher: 'p', seq, qos: 1, isOnce: false },
    ...{ attempts: 1, isAcknowledged: true, refusals: [] },
    ...is,
  }
}

function kinds(published: Published[], kept: number[]): string[] {
  const messages = kept.map((seq) => ({ publisher: 'p', seq }))
  return judgePublished(published, new Map([[ROOM, messages]])).complaints.map(({ kind }) => kind)
}

test.each([
  ['all is there', [said(1), said(2)], [1, 2]],
  ['what was not acknowledged is not', [said(1), said(2, { isAcknowledged: false })], [1]],
  ['or is', [said(1), said(2, { isAcknowledged: false })], [1, 2]],
  [
    'what was sent again is twice',
    [said(1, { attempts: 2 }), said(2, { attempts: 2 })],
    [1, 2, 1, 2],
  ],
])('is content where %s', (_case, published, kept) => {
  expect(kinds(published, kept)).toEqual([])
})

test.each([
  ['lost', [said(1), said(2)], [1]],
  ['reordered', [said(1), said(2)], [2, 1]],
  ['doubled', [said(1)], [1, 1]],
  ['doubled', [said(1, { attempts: 2, isOnce: true })], [1, 1]],
  ['stranger', [said(1)], [1, 7]],
  ['refused', [said(1, { refusals: [0x87], isAcknowledged: false })], []],
])('finds what is %s', (kind, published, kept) => {
  expect(kinds(published, kept)).toEqual([kind])
})
