export type { AnswerContext, Answerer, LockStep, OnStep } from './answerer.ts'
export { connectionKey } from './answerers/connection-key.ts'
export { bearer, deviceFlow, type Visit } from './answerers/oidc.ts'
export { type Dialogue, knock, password, preset, prompts } from './answerers/prompts.ts'
export { type SshKeyOptions, sshKey } from './answerers/ssh-key.ts'
export { token } from './answerers/token.ts'
export type { BackoffOptions } from './backoff.ts'
export type { Client, JoinOptions } from './client.ts'
export type { CodeName, ErrorCode } from './code.ts'
export type { Allowance, Occupancy, RoomUnread, SocketInfo } from './command.ts'
export { type ConnectOptions, connect } from './connect.ts'
export type { OnPacket } from './connection.ts'
export { PorthouseError } from './error.ts'
export type { ClientEvents } from './events.ts'
export type { MessagesOptions } from './feed.ts'
export type { EventKind, GatewayEvent } from './gateway-event.ts'
export type { Rejoined } from './handshake.ts'
export type { FetchOptions, HistoryOptions, Page } from './history.ts'
export type {
  Ask,
  Challenge,
  Prompt,
  Response,
  ScramProof,
  ScramStart,
  SignatureResponse,
  Verdict,
} from './lock-step.ts'
export type { Member, Presence } from './member.ts'
export type { Lost, Message, Replay } from './message.ts'
export type { Position, Since } from './position.ts'
export type { Level, Receipt, Rejection, Status } from './receipt.ts'
export type { Room, RoomEvents } from './room.ts'
export type { RoomSendOptions, SendOptions } from './send.ts'
