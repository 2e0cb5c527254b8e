/** What may follow on a command line, read from the commands themselves. */
import type { Argument, Command, Option } from 'commander'

export interface Word {
  readonly text: string
  readonly description: string
}

/** An option that takes a value. */
export interface Valued {
  readonly option: string
  /** Empty: a file. */
  readonly values: readonly string[]
}

/** One command, as far as it has been typed. */
export interface Node {
  /** Such as `room create`; empty: `porthouse` itself. */
  readonly path: string
  readonly words: readonly Word[]
  readonly valued: readonly Valued[]
  /** Of what its first argument is the name. */
  readonly names?: NameKind
}

export const NAME_KINDS = ['account', 'room', 'client'] as const
export type NameKind = (typeof NAME_KINDS)[number]

const KINDS: Readonly<Record<string, NameKind>> = {
  account: 'account',
  'account/room': 'room',
  'account/client': 'client',
}

export function nodesOf(command: Command, path = ''): Node[] {
  const { commands, options, registeredArguments: takes } = command
  // As the help has them, but for what is hidden.
  const visible = commands.filter((each) =>
    command.createHelp().visibleCommands(command).includes(each),
  )
  const names = kindOf(command, takes[0])
  const own: Node = {
    path,
    words: [
      ...visible.map((each) => ({ text: each.name(), description: each.description() })),
      ...options.map(({ long, description }) => ({ text: long!, description })),
      { text: '--help', description: 'say more' },
    ],
    valued: options.flatMap(valuedOf),
    ...(names && { names }),
  }
  const below = visible.flatMap((each) => nodesOf(each, `${path} ${each.name()}`.trim()))
  return [own, ...below]
}

/** What is to be made has no name that is known. */
function kindOf(command: Command, argument: Argument | undefined): NameKind | undefined {
  const name = argument?.name() ?? ''
  const kind = name === 'address' ? 'room' : KINDS[name]
  return command.name() === 'create' && kind !== 'account' ? undefined : kind
}

const FILES = /<(file|dir)>/

function valuedOf({ long, flags, argChoices }: Option): Valued[] {
  if (argChoices) return [{ option: long!, values: argChoices }]
  return FILES.test(flags) ? [{ option: long!, values: [] }] : []
}
