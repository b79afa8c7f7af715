/** A log line holds at most this many entries of a list. */
const most = 10

/** A longer value (characters of JSON) is left out of the log line. */
const longest = 4096

function isNamed(one: unknown): one is { readonly id: string } {
  return typeof one === 'object' && one !== null && 'id' in one
}

/** A value for a log line: a long list becomes its length and the first ids; any other very long value is left out. */
export function shortened(value: unknown): unknown {
  if (Array.isArray(value) && value.length > most)
    return { count: value.length, first: value.slice(0, most).map((one: unknown) => (isNamed(one) ? one.id : one)) }
  return (JSON.stringify(value) ?? '').length > longest ? 'too long for the log' : value
}
