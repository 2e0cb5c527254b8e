/** A quiz in turns: each player is asked in private, all see the score, the first to 2 wins. */
import { defineRoom, type Room, type RoomSocket } from 'porthouse/room'

interface Options {
  readonly questions?: readonly { readonly ask: string; readonly answer: string }[]
}

interface Game {
  readonly players: RoomSocket[]
  readonly scores: Map<string, number>
  turn: number
  asked: number
}

const TO_WIN = 2
const PLAYERS = 2

export default defineRoom({
  state: (_options: Options): Game => ({ players: [], scores: new Map(), turn: 0, asked: 0 }),

  initial(socket, room) {
    const { players } = room.state
    if (players.length === PLAYERS) return socket.send('You may watch.')
    players.push(socket)
    if (players.length === PLAYERS) ask(room)
    return undefined
  },

  message({ text = '' }, socket, room) {
    const { players, turn, asked, scores } = room.state
    if (players[turn % players.length] !== socket || players.length < PLAYERS) return false
    const isRight = text.trim().toLowerCase() === questionOf(room, asked).answer
    const score = (scores.get(socket.address) ?? 0) + (isRight ? 1 : 0)
    scores.set(socket.address, score)
    room.send({ player: socket.address, isRight, score })
    room.state.turn++
    room.state.asked++
    if (score === TO_WIN) {
      room.send({ winner: socket.address })
      scores.clear()
    }
    ask(room)
    // What was answered is for the program alone.
    return false
  },

  left(socket, room) {
    const at = room.state.players.indexOf(socket)
    if (at !== -1) room.state.players.splice(at, 1)
  },
})

type Quiz = Room<Game, Options>

function questionOf({ options }: Quiz, asked: number) {
  const { questions = [{ ask: 'Two and two?', answer: '4' }] } = options
  return questions[asked % questions.length] ?? { ask: '', answer: '' }
}

function ask(room: Quiz): void {
  const { players, turn, asked } = room.state
  players[turn % players.length]?.send(questionOf(room, asked).ask)
}
