// Room `names/files`: the files of the system that say how names are looked up.
/** Where nsswitch.conf(5) lets names be looked for, as far as we ask there ourselves; `system` is all of it. */
export type HostSource = 'files' | 'dns' | 'system'

/** Without the file, or without a line for hosts. */
const usual: readonly HostSource[] = ['files', 'dns', 'system']

/**
 * The order of `hosts:` in a nsswitch.conf. Whatever else it names (mDNS, systemd, LDAP) the system is asked for, last:
 * that takes one of the few threads of this process.
 */
export function parseSources(text: string): readonly HostSource[] {
  const line = text.split('\n').find((one) => one.startsWith('hosts:'))
  if (line === undefined) return usual
  const named = line.slice('hosts:'.length).replace(/#.*/, '').split(/\s+/)
  const own = named.filter((source) => source === 'files' || source === 'dns')
  return [...new Set<HostSource>(own), 'system']
}
