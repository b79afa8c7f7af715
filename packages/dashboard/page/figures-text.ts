const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const oneDigit = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 })

/** Shown without a value. */
export const nothing = '–'

/** A count or rate; below 10, with one decimal unless whole. */
export function count(value: number): string {
  return value < 10 && !Number.isInteger(value) ? oneDigit.format(value) : whole.format(value)
}

/** A rate per second; so small that it would read as 0, with two decimals. */
export function rateText(value: number): string {
  return value > 0 && value < 0.05 ? value.toFixed(2) : count(value)
}

/** A share from 0 to 1, as a percentage. */
export function percent(part: number): string {
  const value = 100 * part
  if (value > 0 && value < 0.05) return '<0.1 %'
  return `${value > 0 && value < 9.95 ? oneDigit.format(value) : whole.format(value)} %`
}

/** A duration in ms, as number and unit. */
export function duration(ms: number): { readonly number: string; readonly unit: string } {
  if (ms >= 9995) return { number: oneDigit.format(ms / 1000), unit: 's' }
  return { number: ms > 0 && ms < 9.95 ? oneDigit.format(ms) : whole.format(ms), unit: 'ms' }
}

/** A duration in ms, as text; `–` for null. */
export function durationText(ms: number | null): string {
  if (ms === null) return nothing
  const { number, unit } = duration(ms)
  return `${number} ${unit}`
}

const atMostOneDigit = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })

const thousands: readonly (readonly [least: number, letter: string])[] = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
]

/** A round count, short enough for an axis: `500`, `1.5 k`, `20 M`. */
export function countMark(value: number): string {
  const [least, letter] = thousands.find(([from]) => value >= from) ?? [1, '']
  return `${atMostOneDigit.format(value / least)} ${letter}`.trimEnd()
}

/** A round duration in ms, for an axis: `0.5 ms`, `500 ms`, `1.5 s`. */
export function durationMark(ms: number): string {
  return ms >= 1000 ? `${atMostOneDigit.format(ms / 1000)} s` : `${atMostOneDigit.format(ms)} ms`
}

/** An age in ms, in one unit: `12 s`, `3 min`, `5 h`, `2 d`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

/** A number of tunnels: `1 tunnel`, `1,234 tunnels`. */
export function tunnelsText(tunnels: number): string {
  return tunnels === 1 ? '1 tunnel' : `${count(tunnels)} tunnels`
}

/** A number of bytes, in one unit: `812 B`, `3.4 KiB`, `20 MiB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const index = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)))
  return `${count(bytes / 1024 ** index)} ${units[index]}`
}

/** In MiB. */
export function mebibytes(bytes: number): string {
  return `${whole.format(bytes / 1_048_576)} MiB`
}

const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })

/** The time of day in the viewer's time zone: `14:03:59`. */
export function clockTime(at: number): string {
  return clock.format(at)
}

const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })

/** The time of day, with the date if that is not the one of `now`: `30 Nov 14:03:59`. */
export function momentText(at: number, now: number): string {
  const date = day.format(at)
  return date === day.format(now) ? clockTime(at) : `${date} ${clockTime(at)}`
}

/** A name in code as words: `responseTime` → `response time`. */
export function wordsOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
