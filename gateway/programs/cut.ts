/** The first so many bytes of a text, in whole characters. */
export function cut(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text.slice(0, bytesMax))
  if (bytes.length <= bytesMax) return bytes.toString()
  return new TextDecoder().decode(bytes.subarray(0, bytesMax), { stream: true })
}
