/** What a lock proves, in a few words, by acceptor; its page in docs/acceptors tells the rest. */
export const PROVES: Readonly<Record<string, string>> = {
  token: "the token's account, client and rights",
  key: 'the account itself, with every right in its rooms',
  'ssh-key': 'a client, with its rights',
  password: 'a client, with its rights',
  preset: 'the client that the URL names, with its rights, or a visitor',
  identity: 'some client of the account, or the account itself',
  oidc: 'a person, as a client with its rights or those of a visitor',
  cookie: 'who has logged in with this browser, or a visitor',
  header: 'the client that a proxy names, or a visitor',
  url: 'a visitor',
  tty: 'a visitor',
  knock: 'a visitor whom a member lets in',
  webhook: 'what its service says',
}
