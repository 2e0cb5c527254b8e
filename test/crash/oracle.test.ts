/** The oracle itself: it is content with what is right, and names each planted fault. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Answer, type Heard, Journal, type Kept, type Position, Sent } from './journal.ts'
import { judge } from './oracle.ts'

const EPOCH = 1_700_000_000_000
const ROOM = 'acme/board'

/** What became of one message. */
type Fate =
  | 'stored'
  | 'refused'
  | 'uncertain-stored'
  | 'uncertain-gone'
  | 'silent-stored'
  | 'silent'

const SAID: Record<Fate, (position: Position) => Answer[]> = {
  stored: (position) => [{ kind: 'stored', position }],
  refused: () => [{ kind: 'refused', code: 'UNAVAILABLE' }],
  'uncertain-stored': () => [{ kind: 'uncertain' }],
  'uncertain-gone': () => [{ kind: 'uncertain' }],
  'silent-stored': () => [],
  silent: () => [],
}

type Message = Kept['messages'][number]

interface Run {
  readonly journal: Journal
  readonly messages: Message[]
  readonly heard: Heard[]
}

/** A run in which all went well: publishers take turns, and each message has its fate. */
function healthy(fates: readonly (readonly [publisher: number, fate: Fate])[], began = 0): Run {
  const journal = new Journal()
  const counts = new Map<string, number>()
  const messages: Message[] = []
  for (const [number, fate] of fates) {
    const publisher = `p${number}`
    const seq = (counts.get(publisher) ?? 0) + 1
    counts.set(publisher, seq)
    const position = { epoch: EPOCH, sequence: messages.length + 1 }
    const sent = new Sent(ROOM, { publisher, seq }, 0)
    sent.answers.push(...SAID[fate](position))
    journal.sent.push(sent)
    if (fate.endsWith('stored')) messages.push({ id: '', publisher, seq, ...position })
  }
  journal.kept.push({ room: ROOM, messages })
  const heard: Heard[] = messages
    .filter(({ sequence }) => sequence > began)
    .map((message) => ({ kind: 'message', ...message }))
  journal.hearings.push({
    subscriber: 's1',
    room: ROOM,
    began: { epoch: EPOCH, sequence: began },
    heard,
  })
  journal.plan('a planted fault')()
  return { journal, messages, heard }
}

const FATES: Fate[] = [
  'stored',
  'refused',
  'uncertain-stored',
  'uncertain-gone',
  'silent-stored',
  'silent',
]

const plans = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom(...FATES)), {
  maxLength: 60,
})

/** Thirty messages of two publishers, of which every fate happens. */
const mixed = Array.from(
  { length: 30 },
  (_, i) => [(i % 2) + 1, FATES[i % 4 === 3 ? Math.trunc(i / 4) % 6 : 0]!] as const,
)

const kinds = (journal: Journal) => [...new Set(judge(journal).complaints.map(({ kind }) => kind))]

describe('what is right', () => {
  test('any run without a fault passes', () => {
    fc.assert(
      fc.property(plans, fc.nat(10), (plan, began) => {
        expect(judge(healthy(plan, began).journal).complaints).toEqual([])
      }),
    )
  })

  test('a gap that was told is no fault', () => {
    const { journal, heard } = healthy(mixed)
    heard.splice(3, 4, {
      kind: 'notice',
      after: { epoch: EPOCH, sequence: 3 },
      upTo: { epoch: EPOCH, sequence: 7 },
      code: 'RETENTION',
    })
    expect(kinds(journal)).toEqual([])
  })

  test('what was refused first and stored when it was tried again is no fault', () => {
    const { journal, messages, heard } = healthy([[1, 'refused'], ...mixed])
    const [sent] = journal.sent
    const position = { epoch: EPOCH, sequence: messages.length + 1 }
    sent!.retried = true
    sent!.attempts = 2
    sent!.answers.push({ kind: 'stored', position })
    const message = { id: '', publisher: 'p1', seq: 1, ...position }
    messages.push(message)
    heard.push({ kind: 'message', ...message })
    expect(kinds(journal)).toEqual([])
  })
})

describe('a planted fault is named', () => {
  test('an acknowledged message that the history has not', () => {
    const { journal, messages, heard } = healthy(mixed)
    messages.pop()
    heard.pop()
    journal.sent.push(new Sent(ROOM, { publisher: 'p9', seq: 1 }, 0))
    journal.sent.at(-1)!.answers.push({ kind: 'stored', position: { epoch: EPOCH, sequence: 99 } })
    expect(kinds(journal)).toContain('lost')
  })

  test('one heard twice', () => {
    const { journal, heard } = healthy(mixed)
    heard.splice(5, 0, heard[4]!)
    expect(kinds(journal)).toEqual(['doubled'])
  })

  test('one stored twice', () => {
    const { journal, messages, heard } = healthy(mixed)
    const again = { ...messages[2]!, sequence: messages.length + 1 }
    messages.push(again)
    heard.push({ kind: 'message', ...again })
    expect(kinds(journal)).toContain('doubled')
  })

  test('two heard in the wrong order', () => {
    const { journal, heard } = healthy(mixed)
    heard.splice(4, 2, heard[5]!, heard[4]!)
    expect(kinds(journal)).toEqual(['reordered'])
  })

  test('two of one publisher stored in the wrong order', () => {
    const { journal, messages, heard } = healthy([
      [1, 'silent-stored'],
      [1, 'silent-stored'],
    ])
    const [first, second] = [...messages]
    messages[0] = { ...first!, seq: 2 }
    messages[1] = { ...second!, seq: 1 }
    heard.splice(0, 2, ...messages.map((message) => ({ kind: 'message' as const, ...message })))
    expect(kinds(journal)).toEqual(['reordered'])
  })

  test('one refused that is in the history', () => {
    const { journal } = healthy(mixed)
    const stored = journal.sent.find(({ stored }) => stored)!
    stored.answers.splice(0, 1, { kind: 'refused', code: 'UNAVAILABLE' })
    expect(kinds(journal)).toEqual(['refused'])
  })

  test('one that did not come, without a word', () => {
    const { journal, heard } = healthy(mixed)
    heard.splice(6, 1)
    expect(kinds(journal)).toEqual(['gap'])
  })

  test('the last ones that did not come', () => {
    const { journal, heard } = healthy(mixed)
    heard.splice(-2)
    expect(kinds(journal)).toEqual(['gap'])
  })

  test('a position that nobody has', () => {
    const { journal, messages, heard } = healthy([[1, 'silent-stored'], ...mixed])
    messages.shift()
    heard.shift()
    messages.splice(3, 1)
    expect(kinds(journal)).toContain('hole')
  })

  test('one message, two positions told', () => {
    const { journal } = healthy(mixed)
    const position = { epoch: EPOCH, sequence: 1000 }
    journal.sent.find(({ stored }) => stored)!.answers.push({ kind: 'stored', position })
    expect(kinds(journal)).toEqual(['conflict'])
  })

  test('one position, two messages', () => {
    const { journal, heard } = healthy(mixed)
    heard[3] = { ...heard[3]!, seq: 1000 } as Heard
    expect(kinds(journal)).toEqual(['conflict'])
  })

  test('one that nobody sent', () => {
    const { journal, messages, heard } = healthy(mixed)
    const ghost = {
      id: '',
      publisher: 'ghost',
      seq: 1,
      epoch: EPOCH,
      sequence: messages.length + 1,
    }
    messages.push(ghost)
    heard.push({ kind: 'message', ...ghost })
    expect(kinds(journal)).toEqual(['stranger'])
  })

  test('one that was heard before it was stored, and then never was', () => {
    const { journal, heard } = healthy(mixed)
    const sequence = heard.length + 1
    heard.push({ kind: 'message', publisher: 'p1', seq: 1000, epoch: EPOCH, sequence })
    expect(kinds(journal)).toEqual(['stranger'])
  })

  test('a fault that did not happen', () => {
    const { journal } = healthy(mixed)
    journal.plan('kill -9')
    expect(kinds(journal)).toEqual(['unshown'])
  })

  test('a history that was not read', () => {
    const { journal } = healthy(mixed)
    journal.kept.pop()
    expect(kinds(journal)).toContain('unshown')
  })

  test('wherever one is taken away, doubled or moved', () => {
    const stored = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 3, maxLength: 40 })
    const faults = fc.constantFrom('lost', 'unheard', 'doubled', 'moved')
    fc.assert(
      fc.property(stored, fc.nat(), faults, (publishers, at, fault) => {
        const { journal, messages, heard } = healthy(publishers.map((p) => [p, 'stored']))
        const i = at % (heard.length - 1)
        if (fault === 'lost') messages.splice(i, 1)
        if (fault === 'unheard') heard.splice(i, 1)
        if (fault === 'doubled') heard.push(heard[i]!)
        if (fault === 'moved') heard.push(...heard.splice(i, 1))
        const expected = { lost: 'lost', unheard: 'gap', doubled: 'doubled', moved: 'reordered' }
        expect(kinds(journal)).toContain(expected[fault as keyof typeof expected])
      }),
    )
  })
})
