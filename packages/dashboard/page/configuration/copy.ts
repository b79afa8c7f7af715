/** Puts a text on the clipboard. Browsers have `navigator.clipboard` only over HTTPS or on localhost. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = document.createElement('textarea')
    area.value = text
    area.className = 'offscreen'
    area.setAttribute('aria-hidden', 'true')
    document.body.append(area)
    const before = document.activeElement
    area.select()
    const isCopied = document.execCommand('copy')
    area.remove()
    if (before instanceof HTMLElement) before.focus()
    return isCopied
  }
}
