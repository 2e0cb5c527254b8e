/** The table of reasons in the ingress's README is the code's. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  connackReason,
  disconnectReason,
  pubackReason,
  subackReason,
  unsubackReason,
} from '../../../gateway/ingress/mqtt/mapping/reasons.ts'
import { CODES, type CodeInfo } from '../../../gateway/protocol/codes.ts'

const README = 'gateway/ingress/mqtt/README.md'
const columns = [pubackReason, subackReason, unsubackReason, connackReason, disconnectReason]

const hex = (reason: number) => `0x${reason.toString(16).toUpperCase()}`

/** What stands in for a code's reason, packet by packet; empty where it may have its own. */
function cellsOf({ code, mqttReason }: CodeInfo): string {
  const reasons = columns.map((reasonOf) => reasonOf(code))
  return reasons.map((each) => (each === mqttReason ? '' : hex(each))).join(' | ')
}

test('the table of reasons is the one that holds', () => {
  const readme = readFileSync(README, 'utf8')
  const rows = new Map<string, CodeInfo[]>()
  for (const info of CODES) {
    const row = `${hex(info.mqttReason)} | ${cellsOf(info)}`
    rows.set(row, [...(rows.get(row) ?? []), info])
  }
  const written = readme.split('\n').map((line) => line.replaceAll(/ +/g, ' '))
  for (const [row, infos] of rows) {
    const [reason = '', ...cells] = row.split(' | ')
    if (cells.every((cell) => cell === '')) continue
    const others = CODES.filter(({ mqttReason }) => hex(mqttReason) === reason)
    const names = infos.map(({ name }) => name).join(', ')
    const title = others.length === infos.length ? reason : `${reason} of ${names}`
    expect(written).toContain(`| ${title} | ${cells.join(' | ')} |`.replaceAll(/ +/g, ' '))
  }
})
