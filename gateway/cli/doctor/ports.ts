/** Listeners: are their ports free, or does the gateway of this folder have them. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Config } from '../../config/config.ts'
import { type Endpoint, formatEndpoint } from '../../config/setting.ts'
import { listensAt } from '../reach/running.ts'
import { bad, type Finding, good, reasonOf } from './finding.ts'

type Listener = readonly [setting: string, endpoint: Endpoint | 'off', isWanted: boolean]

/** `isRunning`: the gateway of this folder, which then has its ports. */
export function checkPorts(config: Config, isRunning: boolean): Promise<Finding[]> {
  const wanted = listenersOf(config).flatMap(([setting, endpoint, isWanted]) =>
    isWanted && endpoint !== 'off' ? [{ setting, endpoint }] : [],
  )
  return Promise.all(
    wanted.map(({ setting, endpoint }) =>
      isRunning ? checkAnswers(setting, endpoint) : checkFree(setting, endpoint),
    ),
  )
}

function listenersOf({ http, mqtt, admin, metrics, features }: Config): Listener[] {
  const speaksMqtt = features.includes('mqtt')
  return [
    ['http.listen', http.listen, true],
    ['http.tls.listen', http.tls.listen, http.tls.certFile !== undefined],
    ['admin.listen', admin.listen, features.includes('admin')],
    ['metrics.listen', metrics.listen, features.includes('metrics')],
    ['mqtt.listen', mqtt.listen, speaksMqtt],
    ['mqtt.tls.listen', mqtt.tls.listen, speaksMqtt && mqtt.tls.certFile !== undefined],
  ]
}

async function checkAnswers(setting: string, endpoint: Endpoint): Promise<Finding> {
  const where = formatEndpoint(endpoint)
  // What port it has taken, its own first lines say.
  if (endpoint.port === 0) return good(setting, `${where}: a free port`)
  if (await listensAt(`http://${where}`)) return good(setting, `${where} answers`)
  return bad(setting, `the gateway runs, and ${where} does not answer`, 'see its log')
}

async function checkFree(setting: string, endpoint: Endpoint): Promise<Finding> {
  const where = formatEndpoint(endpoint)
  const server = createServer()
  try {
    server.listen(endpoint.port, endpoint.host)
    await once(server, 'listening')
    return good(setting, `${where} is free`)
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
    const detail = isTaken ? `${where} is in use by another program` : reasonOf(error)
    return bad(setting, detail, `choose another with ${setting}`)
  } finally {
    server.close()
  }
}
