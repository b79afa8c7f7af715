/** Castagnoli's polynomial, reflected; Node's own `zlib.crc32` has another one. */
const polynomial = 0x82_f6_3b_78

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ polynomial : value >>> 1
  return value
})

/** The checksum of version 2: CRC32C (RFC 9260, appendix A). */
export function crc32c(bytes: Uint8Array): number {
  let value = 0xff_ff_ff_ff
  for (const byte of bytes) value = (value >>> 8) ^ table[(value ^ byte) & 0xff]!
  return (value ^ 0xff_ff_ff_ff) >>> 0
}
