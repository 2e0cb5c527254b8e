import {
  type Receipt as ReceiptFrame,
  ReceiptLevel,
  ReceiptStatus,
} from '@porthouse/proto/v1/receipt'
import { codeInfo, type ErrorCode } from './code.ts'
import { formatUuid } from './uuid.ts'

/** How far a message must have come before its send resolves; `none` asks for no receipt. */
export type Level = 'none' | 'accepted' | 'routed' | 'stored'

export const levels: Record<Level, ReceiptLevel> = {
  none: ReceiptLevel.UNSPECIFIED,
  accepted: ReceiptLevel.ACCEPTED,
  routed: ReceiptLevel.ROUTED,
  stored: ReceiptLevel.STORED,
}

export type Status = Exclude<keyof typeof ReceiptStatus, 'UNSPECIFIED'>

/** What became of a message. It never claims more than what has happened. */
export interface Receipt {
  readonly status: Status
  /** The message's UUIDv7. Absent where it was rejected before it was given one. */
  readonly id?: string
  /** Sockets that it reached, your own not counted. */
  readonly sockets: number
  /** Position in the room, where it was sent to exactly one. */
  readonly sequence?: bigint
  /** The sequence's epoch. */
  readonly epoch?: bigint
  /** Why it was rejected. */
  readonly code?: ErrorCode
  /** Destinations that refused it, where several were given; the others got it. */
  readonly rejections: readonly Rejection[]
}

export interface Rejection {
  /** As the sender wrote it. */
  readonly address: string
  readonly code: ErrorCode
  /** For a person; not API. */
  readonly detail: string
}

const statuses = new Map<number, Status>(
  Object.entries(ReceiptStatus)
    .filter(([, number]) => number !== ReceiptStatus.UNSPECIFIED)
    .map(([name, number]) => [number, name as Status]),
)

/** Undefined for a status that this client does not know. */
export function readReceipt(frame: ReceiptFrame): Receipt | undefined {
  const status = statuses.get(frame.status)
  if (!status) return undefined
  return {
    status,
    sockets: frame.sockets,
    ...(frame.id.length === 16 && { id: formatUuid(frame.id) }),
    ...(frame.sequence && { sequence: frame.sequence, epoch: frame.epoch }),
    ...(frame.code && { code: codeInfo(frame.code).name }),
    rejections: frame.rejections.map(({ address, code, detail }) => ({
      address,
      code: codeInfo(code).name,
      detail,
    })),
  }
}
