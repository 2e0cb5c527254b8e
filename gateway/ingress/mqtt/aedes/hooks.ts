/** What Aedes asks before it does anything, each question a function; all is the host's to say. */
import type { Aedes } from 'aedes'
import { filterOf, isOfSession } from './names.ts'
import { type AedesClient, Port } from './port.ts'

type Hooks = Required<
  Pick<
    NonNullable<ConstructorParameters<typeof Aedes>[0]>,
    | 'preConnect'
    | 'authenticate'
    | 'authorizeSubscribe'
    | 'authorizePublish'
    | 'authorizeForward'
    | 'published'
  >
>

/** Subscriptions that were granted, each as Aedes has it while it handles its SUBSCRIBE. */
const granted = new WeakSet<object>()

/** Aedes would store all of a SUBSCRIBE's, the refused among them (threat A1). */
export function isGranted(subscription: object): boolean {
  return granted.has(subscription)
}

/** Nobody comes to Aedes but by a port. */
export const preConnect: Hooks['preConnect'] = (client, _packet, done) => {
  done(null, portOf(client) !== undefined)
}

/** Who it is was settled before CONNECT went to Aedes. */
export const authenticate: Hooks['authenticate'] = (_client, _username, _password, done) => {
  done(null, true)
}

export const authorizeSubscribe: Hooks['authorizeSubscribe'] = (client, subscription, done) => {
  const port = portOf(client)
  const { topic, qos } = subscription
  if (!port || !isOfSession(topic)) return done(null, null)
  const { connackSent, broker } = port.client as AedesClient
  const restored = !connackSent
  const refuse = () => done(null, null)
  port.host.subscribe(filterOf(topic), qos as 0 | 1 | 2, restored).then(
    (may) => {
      if (may) {
        granted.add(subscription)
        done(null, subscription)
      } else if (restored) {
        broker.persistence.removeSubscriptions({ id: client.id }, [topic]).then(refuse, refuse)
      } else refuse()
    },
    (error: Error) => (restored ? done(error) : refuse()),
  )
}

/** What clients publish, and their wills, go to the router; nothing of theirs is published here. */
export const authorizePublish: Hooks['authorizePublish'] = (_client, _packet, done) => {
  done(new Error('clients publish past Aedes'))
}

/** Rights may have changed while it was away (threat A8). */
export const authorizeForward: Hooks['authorizeForward'] = (client, packet) => {
  const { topic, dup } = packet as typeof packet & { readonly dup?: boolean }
  return portOf(client)?.host.mayHear(topic, dup ?? false) ? packet : null
}

export const published: Hooks['published'] = (_packet, _client, done) => done(null)

function portOf(client: object): Port | undefined {
  const { conn } = client as { readonly conn?: unknown }
  return conn instanceof Port ? conn : undefined
}
