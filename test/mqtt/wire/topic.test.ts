import { describe, expect, test } from 'vitest'
import { checkTopic } from '../../../gateway/ingress/mqtt/wire/check/topic.ts'
import { MqttError } from '../../../gateway/ingress/mqtt/wire/mqtt-error.ts'

describe('topics', () => {
  test.each(['a', '/', 'a/b', '$share/g/a', '$SYS', ' ', '__proto__', 'a*'])('%j is one', (topic) =>
    expect(() => checkTopic(topic)).not.toThrow(),
  )

  test.each(['', '#', '+', 'a/#', 'a/+/b', 'a#', '+a'])('%j is none', (topic) =>
    expect(() => checkTopic(topic)).toThrow(MqttError),
  )
})
