import { count, nothing, percent } from '../figures-text.ts'
import { looks } from '../history/range.ts'
import type { Traffic } from '../live/traffic.ts'

/** The attempts that failed as far back as the page looks, and their share; red where it burns. */
export function ErrorsCell({ traffic }: { readonly traffic: Traffic | undefined }) {
  const { attempts = 0, failed = 0, isBurning = false } = traffic?.errors ?? {}
  const range = traffic?.past?.range
  const when = range === undefined ? '' : ` in the last ${looks[range].words}`
  return (
    <span class={isBurning ? 'burning' : undefined} title={`${count(failed)} of ${count(attempts)} failed${when}`}>
      {attempts === 0 ? nothing : count(failed)} {failed > 0 && <small>{percent(failed / attempts)}</small>}
    </span>
  )
}
