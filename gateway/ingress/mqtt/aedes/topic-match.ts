/** Whether a filter of MQTT matches a topic [MQTT-4.7]; both are well formed. */
export function matchesTopic(filter: string, topic: string): boolean {
  const wanted = filter.split('/')
  const levels = topic.split('/')
  // Wildcards at the beginning do not reach what starts with $ [MQTT-4.7.2-1].
  if (topic.startsWith('$') && (wanted[0] === '#' || wanted[0] === '+')) return false
  for (const [i, level] of wanted.entries()) {
    if (level === '#') return true
    if (i >= levels.length || (level !== '+' && level !== levels[i])) return false
  }
  return wanted.length === levels.length || wanted[levels.length] === '#'
}
