const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

// The three forms of RFC 9110 §5.6.7; `Date.parse` would take the last for local time. A wrong day of the week is
// ignored.
const fixed = /^\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/
const rfc850 = /^\w{6,9}, (\d\d)-(\w{3})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/
const asctime = /^\w{3} (\w{3}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/

/** In ms since the epoch; undefined for a date or time that does not exist. */
function instant(year: number, month: string, day: number, time: readonly (string | undefined)[]): number | undefined {
  const [hours = 0, minutes = 0, seconds = 0] = time.map(Number)
  const index = months.indexOf(month)
  if (index === -1 || hours > 23 || minutes > 59 || seconds > 60) return undefined
  const date = new Date(Date.UTC(year, index, day))
  if (date.getUTCDate() !== day) return undefined
  return date.getTime() + ((hours * 60 + minutes) * 60 + seconds) * 1000
}

/** A two-digit year more than 50 years ahead means the past (RFC 9110 §5.6.7). */
function fullYear(short: number, now: number): number {
  const thisYear = new Date(now).getUTCFullYear()
  const year = thisYear - (thisYear % 100) + short
  return year > thisYear + 50 ? year - 100 : year
}

function httpDate(text: string, now: number): number | undefined {
  let parts = fixed.exec(text)
  if (parts !== null) return instant(Number(parts[3]), parts[2]!, Number(parts[1]), parts.slice(4))
  parts = rfc850.exec(text)
  if (parts !== null) return instant(fullYear(Number(parts[3]), now), parts[2]!, Number(parts[1]), parts.slice(4))
  parts = asctime.exec(text)
  if (parts !== null) return instant(Number(parts[6]), parts[1]!, Number(parts[2]), parts.slice(3, 6))
  return undefined
}

/**
 * How long to wait, in ms, by a `Retry-After` header (RFC 9110 §10.2.3): seconds or a date. `now` is in ms since the
 * epoch. Never negative, may be Infinity; undefined if it cannot be parsed. Of several fields, the first counts.
 */
export function retryAfter(field: number | string | readonly string[] | undefined, now: number): number | undefined {
  const text = (typeof field === 'object' ? field[0] : field)?.toString().trim()
  if (text === undefined) return undefined
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const at = httpDate(text, now)
  return at === undefined ? undefined : Math.max(at - now, 0)
}
