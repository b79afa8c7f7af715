/**
 * A text of bytes, one in each character, which hashes can read without a copy. What came in a request is one already: Node
 * reads headers and targets as Latin-1. Any other text is taken in UTF-8.
 */
export function bytesOf(text: string): string {
  for (let at = 0; at < text.length; at++)
    if (text.charCodeAt(at) > 0xff) return Buffer.from(text, 'utf8').toString('latin1')
  return text
}
