/** Whether the gateway lives, and whether it can do its work: for probes of whoever runs it. */
import { answerText, type Route } from './route.ts'

/**
 * `ready` resolves where it can; it rejects with a Refusal or the store's error. `warning` is said
 * with it, to whoever asks: what is insecure by somebody's choice is not to be forgotten (K19).
 */
export function healthRoutes(ready: () => Promise<void>, warning?: string): Route[] {
  const ok = warning === undefined ? 'ok' : `ok\nwarning: ${warning}`
  return [
    {
      method: 'GET',
      path: /^\/healthz$/,
      answer: (_request, response) => answerText(response, 200, ok),
    },
    {
      method: 'GET',
      path: /^\/readyz$/,
      answer: async (_request, response) => {
        await ready()
        answerText(response, 200, ok)
      },
    },
  ]
}
