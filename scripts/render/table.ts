/** A Markdown table, ending with a newline. Bars in cells are escaped. */
export function renderTable(head: string[], rows: string[][]): string {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => {
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  })
  return lines.join('')
}
