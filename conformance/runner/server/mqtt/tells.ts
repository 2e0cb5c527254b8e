/** What of an expected frame MQTT can tell, so that one script is for all media (PH-17.4). */
import type { JsonObject, JsonValue } from '@bufbuild/protobuf'
import { isObject } from '../../template.ts'
import { reasonIn } from './reasons.ts'
import type { Version } from './wire.ts'

/** Fields of an Envelope that a PUBLISH before MQTT 5 has no place for. */
const NOT_IN_3 = ['contentType', 'headers', 'replyTo', 'correlationId', 'expiresAfter']
/** What no PUBLISH tells. */
const IN_NONE = ['quality', 'retained', 'routing']
/** All that a topic says of the stamp. */
const IN_TOPIC = ['route', 'channel']

/** `wasSubscribe`: whether the frame's request was a SUBSCRIBE, whose refusal is a reason. */
export function tellsOn(version: Version, expected: JsonObject, wasSubscribe: boolean): JsonObject {
  const { envelope, lockStep, drop, ...rest } = expected
  if (isObject(envelope ?? null)) {
    return { ...rest, envelope: envelopeOn(version, envelope as JsonObject) }
  }
  // A challenge on the way to a SUBSCRIBE has no id, for nothing on MQTT has asked by one.
  if (isObject(lockStep ?? null) && 'challenge' in (lockStep as JsonObject))
    return { lockStep: lockStep! }
  if (isObject(drop ?? null) && wasSubscribe) {
    return { ...rest, drop: refusalOn(version, (drop as JsonObject).code) }
  }
  return expected
}

function envelopeOn(version: Version, envelope: JsonObject): JsonObject {
  const { stamp, ...body } = envelope
  const untold = version === 4 ? [...IN_NONE, ...NOT_IN_3] : IN_NONE
  const told = Object.entries(body).filter(([name, value]) => {
    // Whether content is text is not told before MQTT 5, so neither field is ever absent.
    return !untold.includes(name) && !(version === 4 && isAbsence(value))
  })
  return {
    ...Object.fromEntries(told),
    ...(stamp !== undefined && { stamp: stampOn(version, stamp) }),
  }
}

function stampOn(version: Version, stamp: JsonValue): JsonValue {
  if (!isObject(stamp)) return stamp
  const told = Object.entries(stamp).filter(([name]) =>
    version === 4 ? IN_TOPIC.includes(name) : name !== 'target',
  )
  return Object.fromEntries(told)
}

/** SUBACK of 3.1.1 has but one word for no. */
function refusalOn(version: Version, code: JsonValue | undefined): JsonObject {
  if (version === 4 || typeof code !== 'string') return {}
  return { mqttReason: reasonIn('suback', code) }
}

function isAbsence(value: JsonValue): boolean {
  return isObject(value) && '$absent' in value
}
