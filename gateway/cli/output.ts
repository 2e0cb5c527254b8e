/** What commands print: for people on a terminal, plain in a pipe. */
import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** A reader that has had enough, as `head` has, ends the command without a word. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Resolves when stdout takes more; to be awaited between many lines. */
export async function printed(): Promise<void> {
  if (process.stdout.writableNeedDrain) {
    await new Promise((resolve) => process.stdout.once('drain', resolve))
  }
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value))
}

/** Styled where stdout is a terminal that wants colours. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout })
}

/** Columns as wide as they need to be, under a heading. */
export function printTable(heading: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = heading.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  print(styled('bold', line(heading)))
  for (const row of rows) print(line(row))
}

/** Text of a stranger in one line, without characters that steer a terminal. */
export function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
  return text.replace(/[\x00-\x08\x0a-\x1f\x7f-\x9f]/g, (character) => {
    const code = character.charCodeAt(0)
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : '\ufffd'
  })
}

/** A word to the person, beside what scripts read. */
export function warn(line: string): void {
  process.stderr.write(`${line}\n`)
}
