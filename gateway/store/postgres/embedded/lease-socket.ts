/** The client's end of the lease socket. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Undefined where no supervisor listens. */
export async function connectLease(path: string): Promise<Socket | undefined> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return socket.on('error', () => {})
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ECONNRESET') return undefined
    throw error
  }
}

export async function canConnect(path: string): Promise<boolean> {
  const socket = await connectLease(path)
  socket?.destroy()
  return socket !== undefined
}
