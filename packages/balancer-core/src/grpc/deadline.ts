/** Milliseconds of each unit of `grpc-timeout`. */
const units: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 }

/** At most so many digits (gRPC over HTTP/2). */
const most = 99_999_999

/** The time in a `grpc-timeout` field, in ms; undefined if it cannot be parsed: the backend decides about that. */
export function parseTimeout(field: string | undefined): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(field ?? '') ?? []
  return digits === undefined ? undefined : Number(digits) * units[unit!]!
}

/** The same of Connect: `connect-timeout-ms`, at most ten digits. */
export function parseMilliseconds(field: string | undefined): number | undefined {
  return field !== undefined && /^\d{1,10}$/.test(field) ? Number(field) : undefined
}

/** A `grpc-timeout` of so many ms, rounded down, in the finest unit that has room for it; at least 1 ms. */
export function timeoutField(left: number): string {
  const rest = Math.max(Math.floor(left), 1)
  for (const unit of ['m', 'S', 'M'])
    if (rest / units[unit]! <= most) return `${Math.max(Math.floor(rest / units[unit]!), 1)}${unit}`
  return `${Math.min(Math.floor(rest / units['H']!), most)}H`
}
