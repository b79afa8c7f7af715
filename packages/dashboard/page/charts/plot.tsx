import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { themeChange } from '../theme.ts'

/** The options of a plot; its size is that of its element. */
export type Look = Omit<uPlot.Options, 'width' | 'height'>

interface PlotProps {
  readonly name: string
  readonly look: Look
  readonly data: uPlot.AlignedData
  /** Element for the legend. */
  readonly legend?: RefObject<HTMLElement | null>
  readonly class: string
}

/** Manages one uPlot in an element: created when first visible, drawn only while visible. */
class PlotKeeper {
  readonly #place: HTMLElement
  readonly #legendPlace: HTMLElement | null
  readonly #look: Look
  #data: uPlot.AlignedData
  #plot: uPlot | undefined
  #isSeen = false
  #isDrawn = false

  constructor(place: HTMLElement, legendPlace: HTMLElement | null, look: Look, data: uPlot.AlignedData) {
    this.#place = place
    this.#legendPlace = legendPlace
    this.#look = look
    this.#data = data
  }

  show(data: uPlot.AlignedData): void {
    if (data === this.#data && this.#isDrawn) return
    this.#data = data
    this.#isDrawn = false
    if (this.#isSeen) this.#draw()
  }

  /** Returns a function that ends it. */
  start(): () => void {
    const seen = new IntersectionObserver((entries) => {
      this.#isSeen = entries.at(-1)!.isIntersecting
      if (this.#isSeen) this.#draw()
    })
    const size = new ResizeObserver(() => this.#plot?.setSize(this.#size()))
    const recolour = () => this.#plot?.redraw()
    seen.observe(this.#place)
    size.observe(this.#place)
    themeChange.addEventListener('change', recolour)
    return () => {
      seen.disconnect()
      size.disconnect()
      themeChange.removeEventListener('change', recolour)
      this.#plot?.destroy()
    }
  }

  #size(): { readonly width: number; readonly height: number } {
    const { clientWidth: width, clientHeight: height } = this.#place
    return { width, height }
  }

  #draw(): void {
    if (this.#isDrawn) return
    this.#isDrawn = true
    if (this.#plot === undefined) this.#plot = this.#begin()
    else this.#plot.setData(this.#data)
  }

  #begin(): uPlot {
    const place = this.#legendPlace
    const legend = place === null ? {} : { mount: (_plot: uPlot, itself: HTMLElement) => place.append(itself) }
    const look = { ...this.#look, legend: { ...this.#look.legend, ...legend }, ...this.#size() }
    return new uPlot(look, this.#data, this.#place)
  }
}

/** A plot. `look` must stay the same object. */
export function Plot({ name, look, data, legend, class: className }: PlotProps) {
  const place = useRef<HTMLDivElement>(null)
  const keeper = useRef<PlotKeeper>(null)
  useEffect(() => {
    keeper.current = new PlotKeeper(place.current!, legend?.current ?? null, look, data)
    return keeper.current.start()
  }, [look])
  useEffect(() => keeper.current!.show(data), [data])
  return <div ref={place} class={className} role="img" aria-label={name} />
}
