/** Fields that several resources have, as they are given and as they are shown. */
import { type DescMessage, isFieldSet, type Message } from '@bufbuild/protobuf'
import {
  type FieldMask,
  type Timestamp,
  timestampDate,
  timestampFromDate,
} from '@bufbuild/protobuf/wkt'
import { invalid } from '../protocol/violations.ts'

/** When something ends by itself; undefined: it does not. Throws Violations for what has passed. */
export function expiryOf(
  expireTime: Timestamp | undefined,
  now: number,
  field: string,
): Date | undefined {
  const expiresAt = expireTime && timestampDate(expireTime)
  // A time that no Date can hold is none that lies ahead.
  if (expiresAt && !(expiresAt.getTime() > now)) throw invalid(field, 'has passed')
  return expiresAt
}

/** As messages have times. */
export function shownTimes({ createdAt, expiresAt }: { createdAt: Date; expiresAt?: Date }) {
  return {
    createTime: timestampFromDate(createdAt),
    ...(expiresAt && { expireTime: timestampFromDate(expiresAt) }),
  }
}

/** Text for people. Throws Violations. */
export function labelOf(label: string, field: string): string {
  if (!/\p{Cc}/u.test(label) && label.isWellFormed()) return label
  throw invalid(field, 'has control characters')
}

/**
 * The fields that an update is about (AIP-134), of those that it may be about: what the mask names,
 * or where it is absent what the resource sets. Throws Violations.
 */
export function fieldsOf(
  mask: FieldMask | undefined,
  schema: DescMessage,
  resource: Message,
  mayBe: readonly string[],
): ReadonlySet<string> {
  const isSet = (path: string) => {
    const field = schema.fields.find(({ name }) => name === path)
    return field !== undefined && isFieldSet(resource, field)
  }
  const paths = mask?.paths ?? mayBe.filter(isSet)
  const wrong = paths.find((path) => !mayBe.includes(path))
  if (wrong !== undefined) throw invalid('updateMask', `names a field that is none of ${mayBe}`)
  if (paths.length === 0) throw invalid('updateMask', 'names no field')
  return new Set(paths)
}
