/** The statuses that the admin routes tell of: 507 = in force, but not saved. */
const statuses = [400, 409, 412, 507]

/** Counts the changes of one balancer that the admin routes have refused. */
export class RefusedChanges {
  readonly #counts = new Map(statuses.map((status) => [status, 0]))

  add(status: number): void {
    this.#counts.set(status, (this.#counts.get(status) ?? 0) + 1)
  }

  /** How many by status, from the start with 0. */
  get byStatus(): ReadonlyMap<number, number> {
    return this.#counts
  }
}
