/** The recipe in docs/acceptors/ssh-key.md, typed into a shell as a reader would. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fromJsonString } from '@bufbuild/protobuf'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import { afterAll, expect, test } from 'vitest'
import { readPublicKeyLine } from '../../../gateway/identity/ssh-public-key.ts'
import { sshKeyAcceptor } from '../../../gateway/locks/acceptors/ssh-key.ts'
import type { Store } from '../../../gateway/store/store.ts'
import { asked, BOILER, contextOf, GATEWAY, outcomeOf } from '../../support/before-lock.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { SshKeygen } from '../../support/ssh-keygen.ts'

const ssh = new SshKeygen()
afterAll(() => ssh[Symbol.dispose]())

test('ssh-keygen, base64 and a shell are all it takes to log in', async () => {
  const page = readFileSync(new URL('../../../docs/acceptors/ssh-key.md', import.meta.url), 'utf8')
  const recipe = page.split('## By hand')[1]?.match(/```sh\n(.*?)```/s)?.[1]
  if (!recipe) throw new Error('the page has no recipe')

  const store = new MemoryStore()
  store.room('acme/boiler')
  store.client('acme/bob', ['boiler'])
  const pair = ssh.make('ed25519')
  store.credential('acme/bob', 'ssh-key', readPublicKeyLine(pair.line).data)
  const parts = { store: store as unknown as Store, urls: () => [GATEWAY], random: randomBytes }
  const acceptor = sshKeyAcceptor(parts)
  const context = contextOf<undefined>()
  const { ask, state } = asked(await acceptor.begin(context), 'nonce')

  const challenge = {
    GATEWAY,
    SOCKET: ask.value.socket,
    NONCE: Buffer.from(ask.value.nonce).toString('base64'),
    CLIENT: 'client:acme/bob',
    PLACE: BOILER.address,
    KEY: pair.file,
  }
  const typed = execFileSync('sh', ['-c', recipe], { env: { ...process.env, ...challenge } })
  const [frame] = fromJsonString(PacketSchema, typed.toString()).frames
  if (frame?.body.case !== 'lockStep' || frame.body.value.step.case !== 'answer') {
    throw new Error('no answer')
  }
  const { response } = frame.body.value.step.value
  expect(outcomeOf(await acceptor.answer(response, context, state))).toMatchObject({
    values: { client: 'client:acme/bob' },
  })
})
