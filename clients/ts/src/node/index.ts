/** Answerers that need Node: SSH keys of an agent or a file. */
export { type SshAgentOptions, sshAgent } from './ssh-agent.ts'
export { type SshKeyFileOptions, sshKeyFile } from './ssh-key-file.ts'
