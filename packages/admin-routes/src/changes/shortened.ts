/** So many of a list are told in a line of the log, which is read by people, and has to be bounded. */
const most = 10

/** What is longer, as JSON, is not told in a line of the log (characters). */
const longest = 4096

function isNamed(one: unknown): one is { readonly id: string } {
  return typeof one === 'object' && one !== null && 'id' in one
}

/** A value for the log: of a long list, how many there are and the names of the first; what is very long otherwise is left out. */
export function shortened(value: unknown): unknown {
  if (Array.isArray(value) && value.length > most)
    return { count: value.length, first: value.slice(0, most).map((one: unknown) => (isNamed(one) ? one.id : one)) }
  return (JSON.stringify(value) ?? '').length > longest ? 'too long for the log' : value
}
