/** `::ffff:192.0.2.1`: IPv4 within IPv6, as sockets that listen to both show it. */
const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

function numbersIn(part: string): readonly number[] {
  return part === '' ? [] : part.split(':').map((number) => Number.parseInt(number, 16))
}

/** The eight numbers of an IPv6 address, which may be written in several ways; undefined if it is none. */
function numbersOf(text: string): readonly number[] | undefined {
  const [head = '', tail, other] = text.split('::')
  if (other !== undefined) return undefined
  const [before, after] = [numbersIn(head), numbersIn(tail ?? '')]
  const missing = 8 - before.length - after.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const numbers = [...before, ...Array.from({ length: missing }, () => 0), ...after]
  return numbers.every((number) => number >= 0 && number <= 0xffff) ? numbers : undefined
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
  const numbers = numbersOf(text.split('%')[0]!)
  if (numbers === undefined) return text
  const kept = numbers.map((number, index) => {
    const bits = Math.min(Math.max(v6 - 16 * index, 0), 16)
    return (number & (0xffff << (16 - bits)) & 0xffff).toString(16)
  })
  return kept.join(':')
}
