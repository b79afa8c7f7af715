/** A random number: 0 ≤ x < 1. */
export type Random = () => number

/** Spreads the bits of a text over 32: FNV-1a, and the finalizer of MurmurHash3. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** How many numbers are dropped until the state has nothing of the seed any more: as PractRand's author does it. */
const dropped = 15

/**
 * Random numbers that a seed decides: sfc32 (C. Doty-Humphrey, PractRand). Each purpose has numbers of its own, so that one
 * who draws more, such as another policy, changes nothing for the others.
 */
export function randomStream(seed: number, purpose: string): Random {
  let a = hashOf(`${seed} a ${purpose}`)
  let b = hashOf(`${seed} b ${purpose}`)
  let c = hashOf(`${seed} c ${purpose}`)
  let counter = 1
  function draw(): number {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 4_294_967_296
  }
  for (let count = 0; count < dropped; count++) draw()
  return draw
}
