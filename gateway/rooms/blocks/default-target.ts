/** Block default_target: where a message goes that says nothing of it (R27). */
import type { DefaultTarget } from '@porthouse/proto/room/v1/default_target'
import { type Fault, thrown } from '../../locks/fault.ts'
import { checkChannel, matchesChannel } from '../../protocol/channel.ts'
import type { RoomConfig } from '../config.ts'
import type { Blocks } from './blocks.ts'
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

export function* checkDefaultTarget({ target }: DefaultTarget, blocks: Blocks): Iterable<Fault> {
  if (target.case === undefined) yield { path: '', reason: 'neither channel nor group' }
  if (target.case === 'group') {
    const groups = blocks.of('groups')?.groups ?? []
    if (groups.some(({ name }) => name === target.value)) return
    yield { path: 'group', reason: 'block groups has no such group' }
  }
  if (target.case === 'channel') {
    const faults = [...thrown('channel', () => checkChannel(target.value))]
    yield* faults
    const { channels } = readChannels(blocks.of('channels'))
    if (faults.length > 0 || channels.length === 0) return
    if (channels.some((filter) => matchesChannel(filter, target.value))) return
    yield { path: 'channel', reason: 'block channels does not allow it' }
  }
}
