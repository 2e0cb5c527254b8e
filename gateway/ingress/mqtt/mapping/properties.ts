/** Properties of MQTT 5 as bytes (section 2.2.2), for what is delivered with them. */

/** Identifiers of those that are written here. */
export const Property = {
  PAYLOAD_FORMAT: 0x01,
  CONTENT_TYPE: 0x03,
  RESPONSE_TOPIC: 0x08,
  CORRELATION_DATA: 0x09,
  USER: 0x26,
} as const

/** Of a string or binary data [MQTT 1.5.4] [MQTT 1.5.6]. */
const BYTES_MAX = 65_535

/** Gathers properties; one that MQTT cannot carry is left out. */
export class PropertyWriter {
  readonly #parts: Buffer[] = []

  byte(property: number, value: number): void {
    this.#parts.push(Buffer.from([property, value]))
  }

  binary(property: number, value: Buffer): void {
    if (value.length > BYTES_MAX) return
    this.#parts.push(headed(property, value.length), value)
  }

  /** `text`: UTF-8. */
  string(property: number, text: Buffer): void {
    if (isString(text)) this.binary(property, text)
  }

  user(name: Buffer, value: Buffer): void {
    if (!isString(name) || !isString(value)) return
    this.#parts.push(headed(Property.USER, name.length), name, lengthOf(value), value)
  }

  whole(): Buffer {
    return this.#parts.length === 0 ? NOTHING : Buffer.concat(this.#parts)
  }
}

const NOTHING = Buffer.alloc(0)

/**
 * Whether UTF-8 may be a string of MQTT: whoever gets one with NUL ends the connection
 * [MQTT-1.5.4-2], so none may come from a sender on another medium.
 */
function isString(text: Buffer): boolean {
  return text.length <= BYTES_MAX && !text.includes(0)
}

function headed(property: number, length: number): Buffer {
  return Buffer.from([property, length >>> 8, length & 0xff])
}

function lengthOf({ length }: Buffer): Buffer {
  return Buffer.from([length >>> 8, length & 0xff])
}
