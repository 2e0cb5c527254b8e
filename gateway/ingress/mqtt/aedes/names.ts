/**
 * By which names Aedes knows what a client has subscribed to. No character of a filter means
 * anything to it there: a subscription is a name that the session listens by, and who hears what is
 * the router's to say. So no filter of a client can match what is Aedes' own, or reach further than
 * its rights (threats.md section 4).
 */
const SESSION = '$session/'

export function nameOf(filter: string): string {
  return SESSION + encodeURIComponent(filter)
}

export function filterOf(name: string): string {
  return decodeURIComponent(name.slice(SESSION.length))
}

export function isOfSession(name: string): boolean {
  return name.startsWith(SESSION)
}
