/**
 * A table whose cells are channels of a room that keeps the last value of each: a page, opened with
 * #url=ws://127.0.0.1:8080&address=demo/table&token=TOKEN
 */
import { connect } from '@porthouse/client'

const ROWS = 20
const COLUMNS = 'abcdefghij'

const {
  url = 'ws://127.0.0.1:8080',
  address = 'demo/table',
  token,
} = Object.fromEntries(new URLSearchParams(location.hash.slice(1)))
const table = document.createElement('table')
const cells = new Map<string, HTMLTableCellElement>()
for (let row = 1; row <= ROWS; row++) {
  const line = table.insertRow()
  for (const column of COLUMNS) cells.set(`${column}${row}`, line.insertCell())
}
document.body.append(table)

const client = await connect(url, { token })
const room = await client.join(address)
// First the values that there are, then each as it changes.
for await (const { channel, text = '' } of room.messages()) {
  const cell = cells.get(channel)
  if (cell) cell.textContent = text
}
