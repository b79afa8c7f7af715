// Room `consistent`: the same key goes to the same backend, and few keys move when the set changes.

/** A backend, as far as it decides which keys are its own. */
export interface Node {
  /** The same in every balancer, and after a restart. */
  readonly identity: string
  readonly weight: number
}

/** How the keys are laid out over nodes, which are known by their index. */
export interface Layout {
  /** Of a key: a text of bytes. 0 ≤ x < 2³². */
  hashOf(key: string): number
  /**
   * In the order in which this key goes to the nodes, the first that `may` take it after `skip` others that may; -1 if there
   * is none.
   */
  choose(hash: number, skip: number, may: (index: number) => boolean): number
  /** The share of all keys that each node is the first for; together 1. For people, and O(n) at least. */
  shares(): readonly number[]
  /** Where the hash falls, if that is a place. */
  positionOf?(hash: number): number
}

/** Lays keys out over at least one node; `nodes` are sorted by identity. */
export type LayoutMaker = (nodes: readonly Node[]) => Layout
