/** ms of the system's monotonic clock: one clock for all processes, so that what they write down can be compared. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
