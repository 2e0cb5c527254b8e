/** Block default_target: where a message goes that says nothing of it (R27). */
import type { DefaultTarget } from '@porthouse/proto/room/v1/default_target'
import { checkChannel, matchesChannel } from '../../protocol/channel.ts'
import type { RoomConfig } from '../config.ts'
import type { Blocks } from './blocks.ts'
import { thrown } from './bounds.ts'
import { readChannels } from './channels.ts'

export function readDefaultTarget(
  block: DefaultTarget | undefined,
): Pick<RoomConfig, 'defaultTarget'> {
  const target = block?.target
  if (target?.case === 'channel') {
    return { defaultTarget: { kind: 'channel', channel: target.value } }
  }
  if (target?.case === 'group') return { defaultTarget: { kind: 'group', group: target.value } }
  return { defaultTarget: undefined }
}

export function* checkDefaultTarget({ target }: DefaultTarget, blocks: Blocks): Iterable<string> {
  if (target.case === undefined) yield 'default_target: neither channel nor group'
  if (target.case === 'group') {
    const groups = blocks.of('groups')?.groups ?? []
    if (groups.some(({ name }) => name === target.value)) return
    yield 'default_target.group: block groups has no such group'
  }
  if (target.case === 'channel') {
    const faults = [...thrown('default_target.channel', () => checkChannel(target.value))]
    yield* faults
    const { channels } = readChannels(blocks.of('channels'))
    if (faults.length > 0 || channels.length === 0) return
    if (channels.some((filter) => matchesChannel(filter, target.value))) return
    yield 'default_target.channel: block channels does not allow it'
  }
}
