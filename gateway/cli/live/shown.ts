/** What is live, as a table for people or as Protobuf JSON for scripts, as the API has it. */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf'
import { toJson } from '@bufbuild/protobuf'
import type { CallOptions } from '@connectrpc/connect'
import { harmless, print, printJson, printTable } from '../output.ts'

/** Heading and cell of each column. */
export type Columns<Item> = Readonly<Record<string, (item: Item) => string>>

export function printItems<Schema extends DescMessage>(
  schema: Schema,
  items: readonly MessageShape<Schema>[],
  columns: Columns<MessageShape<Schema>>,
  json: boolean | undefined,
): void {
  if (json) return printJson(items.map((item) => toJson(schema, item)))
  const cells = Object.values(columns)
  printTable(
    Object.keys(columns),
    items.map((item) => cells.map((cell) => harmless(cell(item)))),
  )
}

/** One of them: its fields below each other. */
export function printItem<Schema extends DescMessage>(
  schema: Schema,
  item: MessageShape<Schema>,
  columns: Columns<MessageShape<Schema>>,
  json: boolean | undefined,
): void {
  if (json) return printJson(toJson(schema, item))
  for (const [name, cell] of Object.entries(columns)) {
    print(`${name.padEnd(12)} ${harmless(cell(item))}`)
  }
}

/** Follows a stream until `take` has had enough, which it says by false; the call is ended then. */
export async function follow<Told>(
  ask: (options: CallOptions) => AsyncIterable<Told>,
  take: (told: Told) => boolean | Promise<boolean>,
): Promise<void> {
  const enough = new AbortController()
  try {
    // Answers come whenever they do: without a deadline.
    for await (const told of ask({ timeoutMs: 0, signal: enough.signal })) {
      if (!(await take(told))) return
    }
  } finally {
    enough.abort()
  }
}

/** Done, with nothing to show but a word. */
export function printDone(json: boolean | undefined, done: object, text: string): void {
  if (json) printJson(done)
  else print(text)
}
