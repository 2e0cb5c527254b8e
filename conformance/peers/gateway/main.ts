/** porthouse as a gateway under test: `porthouse run` in a folder of its own (peer.proto). */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { create, type JsonObject, type MessageInitShape } from '@bufbuild/protobuf'
import {
  type ServerRequest,
  ServerRequestSchema,
  ServerResponseSchema,
} from '@porthouse/proto/conformance/v1/peer'
import { messages, write } from '../../runner/delimited.ts'
import { AdminStage } from '../../runner/server/admin-stage.ts'

type Answer = NonNullable<MessageInitShape<typeof ServerResponseSchema>['answer']>

const porthouse = fileURLToPath(new URL('../../../bin/porthouse', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'porthouse-conformance-'))
let gateway: ChildProcess | undefined
let stage: AdminStage | undefined

/** Answers go out in the order of the requests, which are worked on side by side. */
let last: Promise<void> = Promise.resolve()
for await (const request of messages(process.stdin, ServerRequestSchema)) {
  const answering = answerTo(request).catch(
    (error: Error): Answer => ({ case: 'failed', value: error.message }),
  )
  last = last.then(async () => {
    const answer = await answering
    await write(process.stdout, ServerResponseSchema, create(ServerResponseSchema, { answer }))
  })
}
await last
await stop()

async function answerTo({ asks }: ServerRequest): Promise<Answer> {
  switch (asks.case) {
    case 'start':
      return await start(asks.value)
    case 'prepare': {
      const { account, other, fixture } = asks.value
      const variables = await stage!.prepare({ account, other }, fixture!)
      return { case: 'prepared', value: { variables } }
    }
    case 'change': {
      const { account, change, known } = asks.value
      return {
        case: 'prepared',
        value: { variables: await stage!.change(account, change!, known) },
      }
    }
    case 'discard':
      await stage!.discard({ account: asks.value })
      return { case: 'done', value: {} }
    case undefined:
      return { case: 'failed', value: 'nothing was asked that is known' }
  }
}

async function start(settings: JsonObject): Promise<Answer> {
  const config = join(folder, 'porthouse.json')
  const data = join(folder, 'data')
  writeFileSync(config, JSON.stringify(settings))
  const listen = ['--http', '127.0.0.1:0', '--mqtt', '127.0.0.1:0']
  const args = ['run', ...listen, '--log', 'error', '--config', config, '--data', data]
  gateway = spawn(porthouse, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  let httpUrl = ''
  let mqttUrl = ''
  for await (const line of createInterface({ input: gateway.stdout! })) {
    httpUrl ||= /ws:(\/\/[\d.:]+)/.exec(line)?.[1] ?? ''
    mqttUrl ||= /mqtt:\/\/[\d.:]+/.exec(line)?.[0] ?? ''
    if (mqttUrl !== '') break
  }
  if (mqttUrl === '') return { case: 'unsupported', value: 'porthouse did not start with these' }
  gateway.stdout!.resume()
  stage = new AdminStage(`http:${httpUrl}`, readFileSync(join(data, 'operator.key'), 'utf8').trim())
  return { case: 'started', value: { httpUrl: `http:${httpUrl}`, mqttUrl } }
}

async function stop(): Promise<void> {
  if (gateway && gateway.exitCode === null) {
    const ended = once(gateway, 'exit')
    gateway.kill('SIGTERM')
    await ended
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 20 })
}
