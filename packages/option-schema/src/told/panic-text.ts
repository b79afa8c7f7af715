/** How many backends there are, how many of them are healthy, and how many are used. */
interface Counts {
  readonly backends: number
  readonly available: number
  readonly eligible: number
}

/** That panic mode began or ended, as the log and the events say it: `panic mode: 0 of 5 backends are healthy, all 5 are used`. */
export function panicText({ backends, available, eligible }: Counts, panicking: boolean): string {
  const share = `${available} of ${backends} backends ${available === 1 ? 'is' : 'are'} healthy`
  const used = eligible === backends && backends > 1 ? `all ${backends}` : String(eligible)
  return `panic mode${panicking ? '' : ' ended'}: ${share}, ${used} ${eligible === 1 ? 'is' : 'are'} used`
}
