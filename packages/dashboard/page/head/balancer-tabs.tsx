import { useRef } from 'preact/hooks'
import { moved } from '../widgets/arrow-keys.ts'
import type { BalancerSummary } from '../api/views.ts'

interface BalancerTabsProps {
  readonly balancers: readonly BalancerSummary[]
  readonly chosen: string | undefined
  readonly onChoose: (name: string) => void
}

/** Chooses the balancer to show, if there are several. */
export function BalancerTabs({ balancers, chosen, onChoose }: BalancerTabsProps) {
  const list = useRef<HTMLDivElement>(null)
  const onKeyDown = (event: KeyboardEvent) => {
    const index = moved(
      event.key,
      balancers.findIndex(({ name }) => name === chosen),
      balancers.length,
    )
    if (index === undefined) return
    event.preventDefault()
    onChoose(balancers[index]!.name)
    ;(list.current?.children[index] as HTMLElement | undefined)?.focus()
  }
  return (
    <div class="tabs" role="tablist" aria-label="Balancer" ref={list} onKeyDown={onKeyDown}>
      {balancers.map(({ name, available, backends, panicking }) => (
        <button
          key={name}
          type="button"
          role="tab"
          aria-selected={name === chosen}
          aria-controls="balancer"
          tabIndex={name === chosen ? 0 : -1}
          onClick={() => onChoose(name)}
        >
          {name} <small>{panicking ? 'panic mode' : `${available}/${backends}`}</small>
        </button>
      ))}
    </div>
  )
}
