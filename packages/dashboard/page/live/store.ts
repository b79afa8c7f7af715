import { fold, type News } from './fold.ts'
import { initialState, type PageState } from './state.ts'

/** Holds the state of the page, and notifies listeners when it changes. */
export class Store {
  #state: PageState = initialState
  readonly #listeners = new Set<() => void>()

  get state(): PageState {
    return this.#state
  }

  tell(news: News): void {
    const next = fold(this.#state, news)
    if (next === this.#state) return
    this.#state = next
    for (const listener of this.#listeners) listener()
  }

  /** Returns a function that ends it. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}
