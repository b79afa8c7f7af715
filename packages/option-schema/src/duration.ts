/** A duration in ms as people read it: `250 ms`, `1.5 s`, `300 s`. */
export function spoken(duration: number): string {
  const rounded = Math.round(duration)
  return rounded < 1000 ? `${rounded} ms` : `${Math.round(rounded / 100) / 10} s`
}
