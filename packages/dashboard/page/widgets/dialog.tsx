import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { giveFocusBack } from './lost-focus.ts'

interface DialogProps {
  readonly name: string
  readonly onCancel: () => void
  readonly children: ComponentChildren
}

/** A modal dialog. It begins in its first field, and returns the focus to where it was before. */
export function Dialog({ name, onCancel, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    const element = dialog.current!
    const before = document.activeElement
    element.showModal()
    const first = element.querySelector<HTMLInputElement>('input:not([type=checkbox])')
    first?.focus()
    first?.select()
    return () => {
      element.close()
      giveFocusBack(before)
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      aria-label={name}
      onCancel={(event) => {
        event.preventDefault()
        onCancel()
      }}
    >
      {children}
    </dialog>
  )
}
