/** Completion for bash, and for zsh by its bashcompinit. */
import type { Node } from './tree.ts'

export function bashScript(nodes: readonly Node[]): string {
  return `# Completion of porthouse for bash: source it, or keep it in bash-completion's folder.
_porthouse_words() {
  case $1 in
${nodes.map(({ path, words }) => branch(path, words.map(({ text }) => text).join(' '))).join('\n')}
  esac
}

_porthouse_values() {
  case $1 in
${nodes.flatMap(valuesOf).join('\n')}
  esac
}

_porthouse_names() {
  case $1 in
${nodes.flatMap(({ path, names }) => (names ? [branch(path, names)] : [])).join('\n')}
  esac
}

_porthouse() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path= next values kind i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next=\${path:+$path }\${COMP_WORDS[i]}
    [ -n "$(_porthouse_words "$next")" ] && path=$next
  done
  values=$(_porthouse_values "$path $prev")
  if [ "$values" = '<file>' ]; then
    COMPREPLY=($(compgen -f -- "$cur"))
  elif [ -n "$values" ]; then
    COMPREPLY=($(compgen -W "$values" -- "$cur"))
  else
    kind=$(_porthouse_names "$path")
    values=$(_porthouse_words "$path")
    [ -n "$kind" ] && [ "\${cur#-}" = "$cur" ] &&
      values=$("\${COMP_WORDS[0]}" completion names "$kind" "$cur" 2>/dev/null)
    COMPREPLY=($(compgen -W "$values" -- "$cur"))
    case "\${COMPREPLY[*]}" in */) compopt -o nospace 2>/dev/null ;; esac
  fi
}

complete -F _porthouse porthouse
`
}

export function zshScript(nodes: readonly Node[]): string {
  return `#compdef porthouse
autoload -U +X bashcompinit && bashcompinit
${bashScript(nodes)}`
}

function valuesOf({ path, valued }: Node): string[] {
  return valued.map(({ option, values }) =>
    branch(`${path} ${option}`, values.join(' ') || '<file>'),
  )
}

function branch(match: string, words: string): string {
  return `    '${match}') echo '${words}' ;;`
}
