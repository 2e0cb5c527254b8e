/** Levels of the log, seen and set (see observe/levels.ts). */
import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import {
  LogLevel,
  type LogLevelSetting,
  LogLevelSettingSchema,
  type SetLogLevelRequest,
} from '@porthouse/proto/admin/v1/server_service'
import { LEVEL_MS_MAX, type LogLevels, SUBSYSTEMS, type Subsystem } from '../../observe/levels.ts'
import { invalid } from '../../protocol/violations.ts'
import type { Call } from '../calls/call.ts'
import { msOf } from '../spans.ts'

/** In milliseconds. */
const DURATION = { least: 1_000, most: LEVEL_MS_MAX, absent: 600_000 }

type Name = ReturnType<LogLevels['level']>

const LEVELS: Readonly<Record<Name, LogLevel>> = {
  trace: LogLevel.TRACE,
  debug: LogLevel.DEBUG,
  info: LogLevel.INFO,
  warn: LogLevel.WARN,
  error: LogLevel.ERROR,
  fatal: LogLevel.FATAL,
  silent: LogLevel.SILENT,
}

/** That of all, and those of subsystems that have one of their own. */
export function logLevels(levels: LogLevels): LogLevelSetting[] {
  const own = SUBSYSTEMS.filter((subsystem) => levels.hasOwn(subsystem))
  return [undefined, ...own].map((subsystem) => shownLevel(levels, subsystem))
}

export function setLogLevel(
  levels: LogLevels,
  { level, subsystem: name, duration, validateOnly }: SetLogLevelRequest,
  call: Call,
): LogLevelSetting {
  const subsystem = SUBSYSTEMS.find((each) => each === name)
  if (name !== '' && !subsystem) throw invalid('subsystem', `is none of ${SUBSYSTEMS.join(', ')}`)
  const forMs = msOf('duration', duration, DURATION)
  const before = shownLevel(levels, subsystem)
  if (validateOnly) return before
  const names = Object.keys(LEVELS) as Name[]
  levels.set({ level: names.find((each) => LEVELS[each] === level), subsystem, forMs })
  const after = shownLevel(levels, subsystem)
  const schema = LogLevelSettingSchema
  call.changed = {
    resource: 'logLevel',
    before: { schema, message: before },
    after: { schema, message: after },
  }
  return after
}

function shownLevel(levels: LogLevels, subsystem: Subsystem | undefined): LogLevelSetting {
  const until = levels.until(subsystem)
  return create(LogLevelSettingSchema, {
    ...(subsystem && { subsystem }),
    level: LEVELS[levels.level(subsystem)],
    ...(until !== undefined && { expireTime: timestampFromMs(until) }),
  })
}
