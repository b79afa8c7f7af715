/** Mixes every bit into every other: the finalizer of MurmurHash3. Answers 0 ≤ x < 2³². */
export function mixed(word: number): number {
  let hash = word ^ (word >>> 16)
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function scrambled(word: number): number {
  const product = Math.imul(word, 0xcc9e2d51)
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593)
}

/** Takes four more bytes into a hash. */
function with4(hash: number, word: number): number {
  const next = hash ^ scrambled(word)
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0
}

/**
 * MurmurHash3_x86_32 of a text of bytes (see `bytesOf`): fast, and well spread for keys that differ little. It keeps no
 * secret: whoever knows it can find keys for one backend. Answers 0 ≤ x < 2³². (Austin Appleby, SMHasher.)
 */
export function murmur3(bytes: string, seed = 0): number {
  const { length } = bytes
  const end = length & ~3
  let hash = seed
  for (let at = 0; at < end; at += 4) {
    const word =
      bytes.charCodeAt(at) |
      (bytes.charCodeAt(at + 1) << 8) |
      (bytes.charCodeAt(at + 2) << 16) |
      (bytes.charCodeAt(at + 3) << 24)
    hash = with4(hash, word)
  }
  let rest = 0
  for (let at = length - 1; at >= end; at--) rest = (rest << 8) | bytes.charCodeAt(at)
  return mixed(hash ^ scrambled(rest) ^ length)
}

/** The hash of a hash with a seed: as of its four bytes. */
export function rehashed(hash: number, seed: number): number {
  return mixed(with4(seed, hash) ^ 4)
}
