/** CRC-32 of each byte (ISO 3309, zlib). */
const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1
  return rest
})

/** Before the first byte. */
export const crcStart = -1

/** Takes in the bytes of a text (see `bytesOf`). */
export function crcWith(crc: number, bytes: string): number {
  let next = crc
  for (let at = 0; at < bytes.length; at++) next = table[(next ^ bytes.charCodeAt(at)) & 0xff]! ^ (next >>> 8)
  return next
}

/** Takes in the four bytes of a number, the lowest first. */
export function crcWithWord(crc: number, word: number): number {
  let next = crc
  for (let shift = 0; shift < 32; shift += 8) next = table[(next ^ (word >>> shift)) & 0xff]! ^ (next >>> 8)
  return next
}

/** The finished sum, 0 ≤ x < 2³². */
export function crcOf(crc: number): number {
  return ~crc >>> 0
}
