/** The next step for whoever wants a message to get through that was stopped. */
import { type TrailStep, Verdict } from '@porthouse/proto/admin/v1/trail'
import { Code } from '@porthouse/proto/v1/code'

/** Undefined where nothing general helps. */
export function mendOf(stop: TrailStep): string | undefined {
  const { decidedBy, verdict, subject, code } = stop
  const [kind, what = ''] = decidedBy.split(' ')
  if (code === Code.SEND_NOT_PERMITTED || code === Code.CHANNEL_NOT_PERMITTED) {
    const room = roomIn(what) || roomIn(subject)
    return `a grant: porthouse token grant ID --room ${room}:send, or one for its client`
  }
  switch (kind) {
    case 'config': {
      const room = what.slice('room:'.length)
      return `porthouse room config show ${room} >config.json, change it, and then room config set`
    }
    case 'setting':
      return `a larger ${what} in the gateway's config: porthouse config shows what it is`
    case 'lock':
      return `porthouse lock explain ${what.slice(what.indexOf(':') + 1)} says what opens it`
    case 'grant':
      return 'another grant: porthouse token show ID, porthouse client show CLIENT'
    case 'token':
      return `a token with other terms: porthouse token show ${what}`
  }
  if (verdict !== Verdict.VOID || !subject.startsWith('room:')) return undefined
  return `porthouse listen ${subject.slice('room:'.length)}, or a history that keeps it`
}

/** `acme/boiler` of `room:acme/boiler/temp`; `` of what is no room. */
function roomIn(address: string): string {
  return /^room:([^/]+\/[^/]+)/.exec(address)?.[1] ?? ''
}
