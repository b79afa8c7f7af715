/** The index that a key moves to, wrapping around; undefined for other keys. */
export function moved(key: string, index: number, length: number): number | undefined {
  if (length === 0) return undefined
  switch (key) {
    case 'ArrowDown':
    case 'ArrowRight':
      return (index + 1) % length
    case 'ArrowUp':
    case 'ArrowLeft':
      return (index - 1 + length) % length
    case 'Home':
      return 0
    case 'End':
      return length - 1
    default:
      return undefined
  }
}
