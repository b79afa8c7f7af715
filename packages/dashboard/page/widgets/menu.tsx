// Room `widgets`: general interface elements that know nothing of balancers.
import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { moved } from './arrow-keys.ts'

interface MenuProps<Key extends string> {
  readonly name: string
  /** The menu opens below this element, or above it if there is no room. */
  readonly anchor: RefObject<HTMLElement | null>
  readonly items: readonly { readonly key: Key; readonly label: string }[]
  readonly isDisabled: boolean
  readonly onChoose: (key: Key) => void
  /** `goBack`: return the focus to the anchor. */
  readonly onClose: (goBack: boolean) => void
}

function place(menu: HTMLElement, anchor: HTMLElement): void {
  const { top, bottom, right } = anchor.getBoundingClientRect()
  const { offsetWidth: width, offsetHeight: height } = menu
  const fits = bottom + height + 8 <= innerHeight
  menu.style.top = `${fits ? bottom + 2 : Math.max(4, top - height - 2)}px`
  menu.style.left = `${Math.max(4, right - width)}px`
}

/** A menu over everything else (WAI-ARIA Authoring Practices, "Menu Button"). */
export function Menu<Key extends string>({ name, anchor, items, isDisabled, onChoose, onClose }: MenuProps<Key>) {
  const menu = useRef<HTMLDivElement>(null)
  const latest = useRef(onClose)
  latest.current = onClose

  useLayoutEffect(() => {
    const element = menu.current!
    element.showPopover()
    place(element, anchor.current!)
    ;(element.firstElementChild as HTMLElement | null)?.focus({ preventScroll: true })
  }, [anchor])
  useLayoutEffect(() => {
    // Rows above may have grown.
    place(menu.current!, anchor.current!)
    // The item that had the focus may no longer make sense.
    if (document.activeElement === document.body) (menu.current!.firstElementChild as HTMLElement | null)?.focus()
  })

  useEffect(() => {
    const onPointerDown = ({ target: on }: Event) => {
      const isInside = on instanceof Node && (menu.current!.contains(on) || anchor.current!.contains(on))
      if (!isInside) latest.current(false)
    }
    const onMove = () => place(menu.current!, anchor.current!)
    document.addEventListener('pointerdown', onPointerDown)
    // Captured, since an inner element may scroll too.
    addEventListener('scroll', onMove, { capture: true, passive: true })
    addEventListener('resize', onMove)
    return () => {
      document.removeEventListener('pointerdown', onPointerDown)
      removeEventListener('scroll', onMove, { capture: true })
      removeEventListener('resize', onMove)
    }
  }, [anchor])

  const onKeyDown = (event: KeyboardEvent) => {
    const { key } = event
    if (key === 'Escape') {
      event.preventDefault()
      onClose(true)
      return
    }
    if (key === 'Tab') {
      onClose(true)
      return
    }
    const children = [...menu.current!.children] as HTMLElement[]
    const index = moved(key, children.indexOf(document.activeElement as HTMLElement), children.length)
    if (index === undefined) return
    event.preventDefault()
    children[index]!.focus()
  }

  return (
    <div ref={menu} role="menu" aria-label={name} class="menu" popover="manual" onKeyDown={onKeyDown}>
      {items.map(({ key, label }) => (
        <button
          key={key}
          type="button"
          role="menuitem"
          tabIndex={-1}
          aria-disabled={isDisabled}
          onClick={() => {
            if (!isDisabled) onChoose(key)
          }}
        >
          {label}
        </button>
      ))}
    </div>
  )
}
