import { useLayoutEffect, useRef } from 'preact/hooks'
import { count } from '../figures-text.ts'
import { moved } from '../widgets/arrow-keys.ts'
import { conditionOf } from '../overview/condition.ts'
import { tabsOf } from './tabs.ts'
import { ToneSymbol } from '../overview/tone-symbol.tsx'
import { driftingOf, type Fleet } from '../live/fleet.ts'
import type { BalancerSummary } from '../api/views.ts'

interface BalancerTabsProps {
  readonly balancers: readonly BalancerSummary[]
  readonly fleet: Fleet | undefined
  /** undefined: the overview. */
  readonly chosen: string | undefined
  readonly onChoose: (name: string | undefined) => void
}

/** Chooses the balancer to show, or the overview of all. */
export function BalancerTabs({ balancers, fleet, chosen, onChoose }: BalancerTabsProps) {
  const list = useRef<HTMLDivElement>(null)
  const before = useRef(chosen)
  useLayoutEffect(() => {
    if (before.current === chosen) return
    before.current = chosen
    // The link of the overview that was followed is gone.
    if (document.activeElement === document.body)
      list.current?.querySelector<HTMLElement>('[aria-selected=true]')?.focus()
  })
  const tabs = tabsOf(balancers, chosen, fleet)
  const names = [undefined, ...tabs.map(({ name }) => name)]
  const onKeyDown = (event: KeyboardEvent) => {
    const index = moved(event.key, names.indexOf(chosen), names.length)
    if (index === undefined) return
    event.preventDefault()
    onChoose(names[index])
    ;(list.current?.children[index] as HTMLElement | undefined)?.focus()
  }
  const tab = (name: string | undefined) => ({
    type: 'button' as const,
    role: 'tab' as const,
    'aria-selected': name === chosen,
    'aria-controls': 'balancer',
    tabIndex: name === chosen ? 0 : -1,
    onClick: () => onChoose(name),
  })
  return (
    <div class="tabs" role="tablist" aria-label="Balancer" ref={list} onKeyDown={onKeyDown}>
      <button {...tab(undefined)}>
        All balancers{tabs.length < balancers.length && <small> {count(balancers.length)}</small>}
      </button>
      {tabs.map((summary) => {
        const { tone, text } = conditionOf(summary, { drifting: driftingOf(fleet, summary.name) })
        return (
          <button key={summary.name} {...tab(summary.name)} class={tone}>
            <ToneSymbol tone={tone} /> {summary.name} <small>{text}</small>
          </button>
        )
      })}
    </div>
  )
}
