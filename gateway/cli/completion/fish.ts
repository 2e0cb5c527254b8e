/** Completion for fish. */
import type { Node, Valued, Word } from './tree.ts'

export function fishScript(nodes: readonly Node[]): string {
  const paths = nodes.flatMap(({ path }) => (path ? [quoted(path)] : []))
  return `# Completion of porthouse for fish: keep it in ~/.config/fish/completions.
set -g __porthouse_paths ${paths.join(' ')}

function __porthouse_is
    set -l path
    for word in (commandline -opc)[2..-1]
        set -l next (string trim -- "$path $word")
        contains -- $next $__porthouse_paths; and set path $next
    end
    test "$path" = "$argv[1]"
end

complete -c porthouse -f
${nodes.flatMap(linesOf).join('\n')}
`
}

function linesOf({ path, words, valued, names }: Node): string[] {
  const start = `complete -c porthouse -n '__porthouse_is "${path}"'`
  const asked = `(porthouse completion names ${names} (commandline -ct) 2>/dev/null)`
  return [
    ...words.map((word) => `${start} ${wordOf(word, valued)} -d ${quoted(word.description)}`),
    ...(names ? [`${start} -a ${quoted(asked)}`] : []),
  ]
}

function wordOf({ text }: Word, valued: readonly Valued[]): string {
  if (!text.startsWith('--')) return `-a ${text}`
  const long = `-l ${text.slice(2)}`
  const found = valued.find(({ option }) => option === text)
  if (!found) return long
  return found.values.length > 0 ? `${long} -x -a ${quoted(found.values.join(' '))}` : `${long} -rF`
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}
