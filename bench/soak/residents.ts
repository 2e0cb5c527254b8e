/** Who stays for the whole soak: a listener, a clerk who answers, a device, a watcher. */
import { type Client, connect, type Room } from '@porthouse/client'
import { connectAsync } from 'mqtt'
import { watchSockets } from './administration.ts'
import { ACCOUNT, type House } from './house.ts'

/** What the gateway counts of them: a listener in three rooms, the clerk and the device in one. */
export const RESIDENTS = { sockets: 3, memberships: 5 }

export async function settle(house: House): Promise<AsyncDisposable> {
  const { token } = house
  const stack = new AsyncDisposableStack()
  const listener = stack.use(await connect(house.url, { token }))
  for (const room of ['hall', 'ledger', 'board']) {
    void listen(await listener.join(`${ACCOUNT}/${room}`, { presence: true }))
  }
  void answer(stack.use(await connect(house.url, { token })))
  const access = { username: ACCOUNT, password: token, clientId: 'resident' }
  const device = await connectAsync(house.mqttUrl, access)
  stack.defer(() => device.endAsync())
  await device.subscribeAsync(`${ACCOUNT}/hall/#`, { qos: 1 })
  const watch = await watchSockets(house)
  stack.defer(() => void watch.destroy())
  return stack
}

async function listen(room: Room): Promise<void> {
  let heard = 0
  for await (const _ of room.messages()) {
    if (++heard % 50 === 0 && room.address.endsWith('ledger')) await room.read()
  }
}

async function answer(client: Client): Promise<void> {
  const desk = await client.join(`${ACCOUNT}/desk/questions`)
  for await (const { from, correlationId } of desk.messages()) {
    // Who has gone meanwhile gets no answer.
    if (correlationId) await client.send(from, 'noon', { correlationId }).catch(() => {})
  }
}
