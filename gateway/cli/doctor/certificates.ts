/** Certificates: does the key fit, and how long are they good. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Config } from '../../config/config.ts'
import { bad, doubtful, type Finding, good, reasonOf } from './finding.ts'

const DAY_MS = 86_400_000
/** Who renews by himself does so before. */
const SOON_DAYS = 14

export function checkCertificates({ http, mqtt, admin }: Config, now: number): Promise<Finding[]> {
  const sections = { 'http.tls': http.tls, 'mqtt.tls': mqtt.tls, 'admin.tls': admin.tls }
  const given = Object.entries(sections).flatMap(([setting, { certFile, keyFile }]) =>
    certFile !== undefined && keyFile !== undefined ? [{ setting, certFile, keyFile }] : [],
  )
  return Promise.all(given.map((each) => checkPair(each, now)))
}

interface Pair {
  readonly setting: string
  readonly certFile: string
  readonly keyFile: string
}

async function checkPair({ setting, certFile, keyFile }: Pair, now: number): Promise<Finding> {
  try {
    const certificate = new X509Certificate(await readFile(certFile))
    const key = createPrivateKey(await readFile(keyFile))
    if (!certificate.checkPrivateKey(key)) {
      return bad(setting, 'key and certificate do not belong together', `see ${setting}.keyFile`)
    }
    return judged(setting, certificate, now)
  } catch (error) {
    return bad(setting, reasonOf(error), `see ${setting}.certFile and ${setting}.keyFile`)
  }
}

function judged(setting: string, certificate: X509Certificate, now: number): Finding {
  const { validFromDate, validToDate } = certificate
  const days = Math.floor((validToDate.getTime() - now) / DAY_MS)
  if (validFromDate.getTime() > now) {
    return bad(setting, `good from ${validFromDate.toISOString()} only`, 'check the clock')
  }
  if (days < 0) return bad(setting, `expired ${validToDate.toISOString()}`, 'renew it')
  const detail = `good for ${days} days`
  if (days < SOON_DAYS) return doubtful(setting, detail, 'renew it; it is read anew by itself')
  return good(setting, detail)
}
