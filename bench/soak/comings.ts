/** Rooms and tokens that come and go, with somebody inside. */
import { call, type IssuedToken, issueToken } from './administration.ts'
import { ACCOUNT, type House } from './house.ts'
import { Line } from './line.ts'
import { happens, type Scene } from './scene.ts'

/** Runs `within` with a token that is deleted afterwards. */
export async function withToken(house: House, within: (token: IssuedToken) => Promise<void>) {
  const token = await issueToken(house)
  try {
    await within(token)
  } finally {
    await deleteToken(house, token)
  }
}

export async function deleteToken(house: House, { name }: IssuedToken): Promise<void> {
  await call(house, 'TokenService/DeleteToken', { name })
}

/** A room is made, changed and deleted, while somebody is in it. */
export async function build(scene: Scene): Promise<void> {
  const { house } = scene
  const roomId = `built-${scene.round}`
  const name = `accounts/${ACCOUNT}/rooms/${roomId}`
  const config = { blocks: [{ history: { keep: 'KEEP_WINDOW' } }] }
  await call(house, 'RoomService/CreateRoom', {
    parent: `accounts/${ACCOUNT}`,
    roomId,
    room: { config },
  })
  const token = await issueToken(house, roomId)
  const line = await Line.open(house.url, { token: token.secret, reconnect: false })
  const { client } = line
  try {
    const room = await client.join(`${ACCOUNT}/${roomId}`)
    await room.send('is anybody here?')
    const changed = happens('a change', (resolve) => room.on('changed', resolve))
    const blocks = [...config.blocks, { limits: { sockets: 10 } }]
    await call(house, 'RoomService/UpdateRoom', { room: { name, config: { blocks } } })
    await changed
    const left = happens('the end of a room', (resolve) => client.on('drop', resolve))
    await call(house, 'RoomService/DeleteRoom', { name })
    await left
    scene.tally('rooms built and deleted')
  } finally {
    await client.close()
    await deleteToken(house, token)
  }
}

/** Stays until its token is deleted. */
export async function outstay({ house, tally }: Scene): Promise<void> {
  const token = await issueToken(house)
  const { client } = await Line.open(house.url, { token: token.secret, reconnect: false })
  try {
    await client.join(`${ACCOUNT}/hall`)
    const closed = happens('the end of a token', (resolve) => client.on('closed', resolve))
    await deleteToken(house, token)
    await closed
    tally('dropped with their token')
  } finally {
    await client.close()
  }
}
