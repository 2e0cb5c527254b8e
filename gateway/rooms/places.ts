/** What guards places that no config tells of. */
import type { Flow } from '../locks/flow.ts'
import type { FlowReader } from './config.ts'

/**
 * A room that does not exist, as a stranger sees it: guarded like one that nobody configured, so
 * that he cannot tell the one from the other.
 */
export function strangersFlow({ defaults }: FlowReader): Flow {
  return { kind: 'lock', lock: { acceptor: 'token', options: undefined, ...defaults } }
}

/** Every account's lobby: whoever is somebody in the account gets in (R3, R9). */
export function lobbyFlow({ acceptors, defaults }: FlowReader): Flow {
  const flows = ['key', 'ssh-key', 'token', 'password'].flatMap((name): Flow[] => {
    const acceptor = acceptors.get(name)
    if (!acceptor) return []
    const options = acceptor.readOptions({})
    return [{ kind: 'lock', lock: { acceptor: name, options, ...defaults } }]
  })
  return { kind: 'any', flows }
}
