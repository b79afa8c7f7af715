/** `::ffff:192.0.2.1`: IPv4 within IPv6, as sockets that listen to both show it. */
const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** The eight groups of an IPv6 address, which may be written in several ways; undefined if it is none. */
function groupsOf(text: string): readonly number[] | undefined {
  const [head = '', tail, other] = text.split('::')
  if (other !== undefined) return undefined
  const read = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const [before, after] = [read(head), read(tail ?? '')]
  const missing = 8 - before.length - after.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...before, ...Array.from({ length: missing }, () => 0), ...after]
  return groups.every((group) => group >= 0 && group <= 0xffff) ? groups : undefined
}

function maskedV4(text: string, bits: number): string {
  const number = text.split('.').reduce((sum, byte) => (sum << 8) | Number(byte), 0)
  return `${(number & (-1 << (32 - bits))) >>> 0}/${bits}`
}

/** Reads the key from an address: its first bits, `v4` or `v6` of them. What is no address counts as it is written. */
export function addressKey(address: string, v4: number, v6: number): string {
  // Without a colon it is IPv4, as nearly always.
  const text = address.includes(':') ? (mapped.exec(address)?.[1] ?? address) : address
  if (!text.includes(':')) return v4 === 32 ? text : maskedV4(text, v4)
  const groups = groupsOf(text.split('%')[0]!)
  if (groups === undefined) return text
  const kept = groups.map((group, index) => {
    const bits = Math.min(Math.max(v6 - 16 * index, 0), 16)
    return (group & (0xffff << (16 - bits)) & 0xffff).toString(16)
  })
  return kept.join(':')
}
