/**
 * Calls back once this turn of the event loop is over. A microtask would be too early: replies made
 * in a `for await` loop each come some microtasks apart and would go out one by one.
 */
export const afterTurn: (callback: () => void) => void =
  'setImmediate' in globalThis ? (callback) => void setImmediate(callback) : afterMessage

// Browsers have no setImmediate, and clamp setTimeout to 4 ms; a posted message comes next.
function afterMessage(callback: () => void): void {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => {
    port1.close()
    callback()
  }
  port2.postMessage(undefined)
}
