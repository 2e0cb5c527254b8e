import { CODES } from '../../gateway/protocol/codes.ts'
import { renderTable } from './table.ts'

const heading = `# Codes

Rendered from [code.proto](../proto/porthouse/v1/code.proto) by \`make generate\`; edit it there.

Whatever fails anywhere in porthouse fails with one of these codes, and each transport has its own
word for it. A code, its number and its renderings are API; the text beside an error is not.
*Temporary* says that the same request may succeed later. A client comes back by itself after the
close codes 4000 to 4499, 1001, 1006, 1011, 1012 and 1013, and after no other.
`

const head = ['Number', 'Name', 'Kind', 'WebSocket', 'MQTT 5', 'Connect', 'HTTP', 'Meaning']

/** docs/codes.md: a row for each code, by number. */
export function renderCodes(): string {
  const rows = CODES.map((code) => [
    `${code.code}`,
    `\`${code.name}\``,
    code.temporary ? 'temporary' : 'final',
    `${code.websocketClose}`,
    `0x${code.mqttReason.toString(16).toUpperCase().padStart(2, '0')}`,
    `\`${code.connect}\``,
    `${code.httpStatus}`,
    code.meaning,
  ])
  return `${heading}\n${renderTable(head, rows)}`
}
