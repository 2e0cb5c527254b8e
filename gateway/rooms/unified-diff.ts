/** Two texts as one, in the unified format that `diff -u` and `patch` know. */

interface Edit {
  readonly sign: ' ' | '-' | '+'
  readonly line: string
}

/** Unchanged lines shown around a change. */
const CONTEXT = 3

/** Pairs of lines compared at most; beyond it all that differs is one change, which is as true. */
const PAIRS_MAX = 4_000_000

/** The hunks, line by line, without the heading of files; none where the texts are the same. */
export function unifiedDiff(before: readonly string[], after: readonly string[]): string[] {
  const edits = editsOf(before, after)
  const out: string[] = []
  // Lines of each text that lie before `at`.
  let [old, now, at] = [0, 0, 0]
  for (const [start, end] of hunksOf(edits)) {
    old += start - at
    now += start - at
    const hunk = edits.slice(start, end)
    const olds = hunk.filter(({ sign }) => sign !== '+').length
    const nows = hunk.filter(({ sign }) => sign !== '-').length
    out.push(`@@ -${range(old, olds)} +${range(now, nows)} @@`)
    out.push(...hunk.map(({ sign, line }) => sign + line))
    old += olds
    now += nows
    at = end
  }
  return out
}

/** An empty range stands after a line, any other begins at one. */
function range(before: number, count: number): string {
  return `${count === 0 ? before : before + 1},${count}`
}

/** Start and end of each run of changes with its context, among the edits. */
function hunksOf(edits: readonly Edit[]): [start: number, end: number][] {
  const hunks: [start: number, end: number][] = []
  for (const [i, { sign }] of edits.entries()) {
    if (sign === ' ') continue
    const [start, end] = [Math.max(0, i - CONTEXT), Math.min(edits.length, i + 1 + CONTEXT)]
    const last = hunks.at(-1)
    if (last && start <= last[1]) last[1] = end
    else hunks.push([start, end])
  }
  return hunks
}

function editsOf(before: readonly string[], after: readonly string[]): Edit[] {
  const most = Math.min(before.length, after.length)
  let head = 0
  while (head < most && before[head] === after[head]) head++
  let tail = 0
  while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++
  const end = before.length - tail
  return [
    ...before.slice(0, head).map(kept),
    ...changesOf(before.slice(head, end), after.slice(head, after.length - tail)),
    ...before.slice(end).map(kept),
  ]
}

const kept = (line: string): Edit => ({ sign: ' ', line })
const removed = (line: string): Edit => ({ sign: '-', line })
const added = (line: string): Edit => ({ sign: '+', line })

function changesOf(before: readonly string[], after: readonly string[]): Edit[] {
  if (before.length * after.length > PAIRS_MAX) return [...before.map(removed), ...after.map(added)]
  const common = commonLines(before, after)
  const edits: Edit[] = []
  let [i, j] = [0, 0]
  for (;;) {
    const [old, now] = [before[i], after[j]]
    if (old === undefined && now === undefined) return edits
    if (old !== undefined && old === now) {
      edits.push(kept(old))
      i++
      j++
    } else if (old !== undefined && (now === undefined || common(i + 1, j) >= common(i, j + 1))) {
      edits.push(removed(old))
      i++
    } else {
      edits.push(added(now as string))
      j++
    }
  }
}

/** How many lines the rests of both texts have in common, in order, from given lines on. */
function commonLines(before: readonly string[], after: readonly string[]) {
  const width = after.length + 1
  const table = new Uint32Array((before.length + 1) * width)
  const at = (i: number, j: number) => table[i * width + j] as number
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      table[i * width + j] =
        before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  return at
}
