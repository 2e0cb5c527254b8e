/**
 * Enters a place by the dance of its locks, shows each step, and answers what is prompted for by
 * the words given: node lock-dance.ts ws://127.0.0.1:8080/acme/door anna secret mellon
 */
import { connect, deviceFlow, knock, prompts } from '@porthouse/client'

const [url = 'ws://127.0.0.1:8080/demo/hello', ...words] = process.argv.slice(2)
const client = await connect(url, {
  locks: [
    deviceFlow({ onVisit: ({ url, userCode }) => console.log(`open ${url}, type ${userCode}`) }),
    knock('it is me'),
    // Each word answers once; who has none left gives up.
    prompts(async (asked) => {
      return words.length > 0 ? words.splice(0, asked.prompts.length) : undefined
    }),
  ],
  onStep(step) {
    if (step.kind === 'verdict') return console.log(`${step.verdict.lock} ${step.verdict.outcome}`)
    const { lock, place, acceptor, others } = step.challenge
    console.log(`${lock} of ${place} asks for ${[acceptor, ...others].join(' or ')}`)
  },
})
console.log(`in ${client.entered?.address}`)
await client.close()
