import { fold, type News } from './fold.ts'
import { initialState, type PageState } from './state.ts'

/** Keeps the state of the page, and tells those who listen that it is another. */
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

  /** Answers what ends it. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}
