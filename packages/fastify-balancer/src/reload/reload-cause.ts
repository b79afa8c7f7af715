/** Why it is reloaded, and how. */
export interface ReloadCause {
  /** As it is logged: `SIGHUP`, `api`, or the file that has changed. */
  readonly trigger: string
  /** Only look. */
  readonly dryRun?: boolean
  /** Do it although it leaves a balancer without a usable backend, where it has one now. */
  readonly force?: boolean
  /** Who has asked for it. */
  readonly who?: string | undefined
  /** Nobody has asked for it: where the file itself says the same as before, lists stay as they are. */
  readonly isAutomatic?: boolean
  /** Other workers have done it already: a list of which the file says the same as here may have been changed since. */
  readonly isRepeated?: boolean
}
