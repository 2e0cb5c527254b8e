/** The cases, from YAML to the messages of their schema. */
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import {
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  type MessageShape,
} from '@bufbuild/protobuf'
import { parse } from 'yaml'
import { longName } from './transport.ts'

/** The suites of a folder by name, which is the file's. Throws what is wrong, with the file. */
export function loadSuites<Suite extends DescMessage>(
  schema: Suite,
  folder: string,
): Map<string, MessageShape<Suite>> {
  const files = globSync('*.yaml', { cwd: folder }).toSorted()
  return new Map(
    files.map((file) => [
      basename(file, '.yaml'),
      readSuite(schema, file, readFileSync(join(folder, file), 'utf8')),
    ]),
  )
}

function readSuite<Suite extends DescMessage>(
  schema: Suite,
  file: string,
  text: string,
): MessageShape<Suite> {
  try {
    return fromJson(schema, withTransports(parse(text, { merge: true }) as JsonValue))
  } catch (error) {
    throw new TypeError(`${file}: ${(error as Error).message}`, { cause: error })
  }
}

/** `mqtt5` stands for TRANSPORT_MQTT5, where the schema has a transport. */
function withTransports(value: JsonValue): JsonValue {
  const suite = value as JsonObject
  const cases = (suite.cases ?? []) as JsonObject[]
  return { ...long(suite), cases: cases.map((one) => ({ ...long(one), ...stepsOf(one) })) }
}

function long({ transports, ...rest }: JsonObject): JsonObject {
  if (!Array.isArray(transports)) return rest
  return { ...rest, transports: transports.map((name) => longName(String(name))) }
}

function stepsOf({ steps }: JsonObject): JsonObject {
  if (!Array.isArray(steps)) return {}
  return {
    steps: (steps as JsonObject[]).map((step) => {
      const open = step.open as JsonObject | undefined
      if (open?.transport === undefined) return step
      return { ...step, open: { ...open, transport: longName(String(open.transport)) } }
    }),
  }
}
