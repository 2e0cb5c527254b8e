/** What a person can do about a refusal; undefined where nothing general helps. */
export function nextStep(code: string): string | undefined {
  switch (code) {
    case 'UNAUTHENTICATED':
    case 'TOKEN_EXPIRED':
      return 'prove who you are: --token, --as CLIENT with --ssh-key FILE, or what else it asks for'
    case 'SEND_NOT_PERMITTED':
    case 'RECEIVE_NOT_PERMITTED':
      return 'porthouse token create --room ROOM:send,receive makes a token that may'
    case 'NO_HISTORY':
      return (
        'a room keeps messages by its block history: porthouse room create --history durable, ' +
        'or room config set for one that is there'
      )
    case 'STORE_FULL':
      return "the disk of the gateway's store needs space; what is there can still be heard"
    case 'UNCERTAIN':
      return 'send it again with the same --key: it will be there once'
    default:
      return undefined
  }
}
