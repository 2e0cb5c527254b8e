/** Listeners: are their ports free, or of a gateway that runs, do they answer. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Config } from '../../config/config.ts'
import { type Endpoint, formatEndpoint } from '../../config/setting.ts'
import { listensAt } from '../reach/running.ts'
import { bad, type Finding, good, reasonOf } from './finding.ts'

type Listener = readonly [setting: string, endpoint: Endpoint | 'off', isWanted: boolean]

/** Where no gateway runs on the folder. */
export function checkPorts(config: Config): Promise<Finding[]> {
  const wanted = listenersOf(config).flatMap(([setting, endpoint, isWanted]) =>
    isWanted && endpoint !== 'off' ? [{ setting, endpoint }] : [],
  )
  return Promise.all(wanted.map(({ setting, endpoint }) => checkFree(setting, endpoint)))
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

/** A listener that a gateway of this machine says it has. */
export async function checkAnswers(name: string, endpoint: Endpoint): Promise<Finding> {
  const where = formatEndpoint(endpoint)
  if (await listensAt(`http://${where}`)) return good(name, `${where} answers`)
  return bad(name, `the gateway runs, and ${where} does not answer`, 'see its log')
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
