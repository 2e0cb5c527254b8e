/** Filters of channels as a condition of SQL. */
import { channelOf } from '../../../protocol/channel.ts'
import { keptWhole, textArray } from './literal.ts'

/** What of `channel` the filters hear; undefined: all. */
export interface ChannelMatch {
  /** Array of text: channels that are heard as they are. */
  readonly exact: string
  /** Array of text: regular expressions of those that filters with `*` hear. */
  readonly patterns: string
}

export function channelMatch(filters: readonly string[]): ChannelMatch | undefined {
  if (filters.includes('')) return undefined
  const isPattern = (filter: string) => filter.includes('*')
  return {
    exact: textArray(filters.filter((filter) => !isPattern(filter)).map(channelOf)),
    patterns: textArray(filters.filter(isPattern).map(patternOf)),
  }
}

function patternOf(filter: string): string {
  const levels = keptWhole(filter)
    .split('/')
    .map((level) => {
      if (level === '**') return '.+'
      return level === '*' ? '[^/]+' : level.replaceAll(/[^\p{L}\p{N}/]/gu, '\\$&')
    })
  return `^${levels.join('/')}$`
}
