/** The name nearest to a misspelt one, by edits (Levenshtein), or none within `editsMax`. */
export function nearest(
  name: string,
  known: readonly string[],
  editsMax: number,
): string | undefined {
  let best: string | undefined
  let bound = editsMax
  for (const candidate of known) {
    const edits = distance(name, candidate)
    if (edits > bound || (best && edits === bound)) continue
    best = candidate
    bound = edits
  }
  return best
}

function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let line = 1; line <= from.length; line++) {
    const next = [line]
    for (let column = 1; column <= to.length; column++) {
      const replaced = row[column - 1]! + (from[line - 1] === to[column - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[column]! + 1, next[column - 1]! + 1))
    }
    row = next
  }
  return row[to.length]!
}
