// Room `names/files`: the files of the system that say how names are looked up.
/** Sources of nsswitch.conf(5) that are asked here; `system` stands for all others. */
export type HostSource = 'files' | 'dns' | 'system'

/** Without the file, or without a line for hosts. */
const usual: readonly HostSource[] = ['files', 'dns', 'system']

/**
 * The order of `hosts:` in a nsswitch.conf. For other sources that it lists (mDNS, systemd, LDAP) the system is asked,
 * last, since that takes one of the few threads of this process.
 */
export function parseSources(text: string): readonly HostSource[] {
  const line = text.split('\n').find((one) => one.startsWith('hosts:'))
  if (line === undefined) return usual
  const named = line.slice('hosts:'.length).replace(/#.*/, '').split(/\s+/)
  const own = named.filter((source) => source === 'files' || source === 'dns')
  return [...new Set<HostSource>(own), 'system']
}
