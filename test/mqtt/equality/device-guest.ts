/**
 * Somebody on MQTT. In 3.1.1 he speaks with the gateway in JSON, in 5 by Packets, so that both
 * kinds of reserved topics are tried.
 */
import type { Receipt } from '@porthouse/proto/v1/receipt'
import type { IPublishPacket, UserProperties } from 'mqtt-packet'
import { RESERVED_KINDS } from '../../../gateway/ingress/mqtt/mapping/reserved.ts'
import type { FrameInit } from '../../support/client-frames.ts'
import { type ConnectInit, MqttClient } from '../../support/mqtt-client.ts'
import {
  type EnterOptions,
  framesIn,
  Guest,
  type Heard,
  packetBytes,
  type Said,
  sorted,
} from './guest.ts'

type Qos = 0 | 1 | 2

export interface DeviceOptions {
  /** With which it listens and publishes. */
  readonly qos?: Qos
  /** It asks for what the stamp says. */
  readonly stamps?: boolean
  readonly init?: ConnectInit
  /** A room that is open to strangers, by which it gets out of limbo. */
  readonly through?: string
}

/** Where a frame of each kind is published. */
const TOPIC_OF: Readonly<Record<string, string>> = {
  lockStep: 'lock',
  hello: 'command',
  envelope: 'message',
}

export class DeviceGuest extends Guest {
  readonly medium: 'mqtt 3.1.1' | 'mqtt 5'
  readonly client: MqttClient
  readonly qos: Qos
  readonly ended: Promise<number | undefined>
  /** Reason code of the last PUBACK or PUBREC. */
  reason = 0
  #ending = Promise.withResolvers<number | undefined>()

  static async comes(
    port: number,
    medium: 'mqtt 3.1.1' | 'mqtt 5',
    secret: string | undefined,
    { qos = 1, stamps = true, init = {}, through }: DeviceOptions = {},
  ): Promise<DeviceGuest> {
    const is5 = medium === 'mqtt 5'
    const client = await MqttClient.open(port, { version: is5 ? 5 : 4 })
    const userProperties = { 'porthouse-stamp': '1' }
    const { properties, ...more } = init
    const connack = await client.connect({
      ...(secret !== undefined && { username: 'acme', password: secret }),
      ...(is5 && { properties: { ...(stamps && { userProperties }), ...properties } }),
      ...more,
    })
    const code = is5 ? connack.reasonCode : connack.returnCode
    if (code !== 0) throw new Error(`CONNACK says ${code}`)
    const guest = new DeviceGuest(client, medium, qos)
    if (through !== undefined) {
      await client.subscribe(guest.#topic('lock'))
      await client.subscribe(through)
    }
    await client.subscribe(RESERVED_KINDS.map((kind) => guest.#topic(kind)))
    if (is5) guest.address = `${connack.properties?.userProperties?.['porthouse-socket']}`
    else {
      const { sockets } = (await guest.commands('listSockets', {})) as {
        sockets: { self: boolean; socket: string }[]
      }
      guest.address = sockets.find(({ self }) => self)?.socket ?? ''
    }
    return guest
  }

  private constructor(client: MqttClient, medium: 'mqtt 3.1.1' | 'mqtt 5', qos: Qos) {
    super()
    this.client = client
    this.medium = medium
    this.qos = qos
    this.ended = this.#ending.promise
    void this.#read()
    void client.next('disconnect').then(
      ({ reasonCode }) => this.#ending.resolve(reasonCode),
      () => this.#ending.resolve(undefined),
    )
  }

  get #json(): boolean {
    return this.medium === 'mqtt 3.1.1'
  }

  #topic(kind: string): string {
    return `$porthouse/v1/${this.#json ? 'json/' : ''}${kind}`
  }

  async #read(): Promise<void> {
    try {
      for (;;) this.#sort(await this.client.message())
    } catch {
      this.end()
    }
  }

  #sort(packet: IPublishPacket): void {
    if (packet.topic.startsWith('$')) {
      for (const frame of framesIn(this.#json, packet.payload as Buffer)) this.take(frame)
    } else this.hear(this.medium === 'mqtt 5' ? heardIn5(packet) : heardIn4(packet))
  }

  tells(...frames: FrameInit[]): void {
    for (const frame of frames) {
      const kind = frame.body?.case ?? ''
      const name = TOPIC_OF[kind] ?? kind
      this.client.sendPublish(this.#topic(name), packetBytes(this.#json, [frame]))
    }
  }

  async enters(room: string, { presence, replayed, sendOnly }: EnterOptions = {}): Promise<void> {
    if (!sendOnly) {
      const [granted = 0x80] = await this.client.subscribe(`${room}/#`, this.qos)
      if (granted >= 0x80) throw new Error(`refused with ${granted}`)
    }
    if (!presence && !replayed && !sendOnly) return
    const options = { presence, replayed, sendOnly }
    await this.asksRoom('join', { address: `room:${room}`, ...options })
  }

  async leaves(room: string): Promise<void> {
    await this.client.unsubscribe(`${room}/#`)
  }

  async says(room: string, said: Said | string): Promise<Receipt> {
    const whole = typeof said === 'string' ? { content: said } : said
    const { channel = '', content = '', retain = false } = whole
    const qos = this.qos === 0 ? 1 : this.qos
    const messageId = this.client.sendPublish(
      `${room}${channel && '/'}${channel}`,
      content as string,
      {
        qos,
        retain,
        ...(this.medium === 'mqtt 5' && { properties: propertiesOf(whole) ?? {} }),
      },
    )
    const { body } = await this.answerTo(messageId)
    await this.#acknowledged(messageId, qos)
    if (body.case !== 'receipt') throw new Error(`${body.case} in place of a receipt`)
    return body.value
  }

  async #acknowledged(messageId: number, qos: Qos): Promise<void> {
    const ack = qos === 1 ? await this.client.next('puback') : await this.client.next('pubrec')
    this.reason = ack.reasonCode ?? 0
    if (qos === 1 || this.reason >= 0x80) return
    this.client.send({ cmd: 'pubrel', messageId })
    await this.client.next('pubcomp')
  }

  vanishes(): void {
    this.client.reset()
  }
}

function propertiesOf({
  content,
  contentType,
  replyTo,
  correlation,
  headers,
  expiresAfter,
  key,
}: Said): IPublishPacket['properties'] {
  const isTopic = replyTo?.startsWith('room:')
  const named: [string, string][] = [...(headers ?? []).map(([a, b]): [string, string] => [a, b])]
  if (key !== undefined) named.push(['porthouse-key', key])
  if (replyTo !== undefined && !isTopic) named.push(['porthouse-reply-to', replyTo])
  return {
    ...(typeof content === 'string' && { payloadFormatIndicator: true }),
    ...(contentType !== undefined && { contentType }),
    ...(isTopic && replyTo && { responseTopic: replyTo.slice('room:'.length) }),
    ...(correlation && { correlationData: correlation }),
    ...(expiresAfter && { messageExpiryInterval: expiresAfter }),
    ...(named.length > 0 && { userProperties: Object.fromEntries(named) }),
  }
}

function channelOf(topic: string): string {
  return topic.split('/').slice(2).join('/')
}

function heardIn4({ topic, payload, qos, retain }: IPublishPacket): Heard {
  return { channel: channelOf(topic), bytes: payload as Buffer, qos, retain }
}

function heardIn5(packet: IPublishPacket): Heard {
  const { properties = {} } = packet
  const { userProperties = {}, responseTopic, correlationData } = properties
  const stamp = (name: string) => userProperties[`porthouse-${name}`] as string | undefined
  const [id, from, sequence, epoch, time, replay, reply] = [
    ...['id', 'from', 'sequence', 'epoch', 'time', 'replay', 'reply-to'].map(stamp),
  ]
  return {
    ...heardIn4(packet),
    text: properties.payloadFormatIndicator === true,
    ...(id !== undefined && { id: id.replaceAll('-', '') }),
    ...(from !== undefined && { from }),
    ...(sequence !== undefined && { sequence: Number(sequence) }),
    ...(epoch !== undefined && { epoch: Number(epoch) }),
    ...(time !== undefined && { timeMs: Number(time) }),
    ...(replay !== undefined && { replay }),
    contentType: properties.contentType ?? '',
    replyTo: responseTopic === undefined ? (reply ?? '') : `room:${responseTopic}`,
    correlation: correlationData?.toString('hex') ?? '',
    headers: headersIn(userProperties),
    expiresAfter: properties.messageExpiryInterval ?? 0,
  }
}

function headersIn(userProperties: UserProperties): NonNullable<Heard['headers']> {
  const entries = Object.entries(userProperties)
  return sorted(
    entries.flatMap(([name, value]): [string, string][] =>
      name.startsWith('porthouse-') ? [] : [value].flat().map((each) => [name, each]),
    ),
  )
}
