import { createError } from '@fastify/error'

/** The file with saved lists is invalid; the message names every fault. The file is not changed. Thrown at boot. */
export const BrokenFileError = createError<[string, string]>(
  'FST_BALANCER_ADMIN_BROKEN_FILE',
  "The saved lists in '%s' are invalid (the file was not changed): %s",
  500,
)

const Unsaved = createError<[string]>(
  'FST_BALANCER_ADMIN_UNSAVED',
  'The change is in force but could not be saved (%s): a restart would undo it. The next change saves it too',
  507,
)

/** A change was made but not saved, so a restart would undo it; the message names the system's error code. */
export class UnsavedError extends Unsaved {
  /** The system's error code, or what went wrong. */
  readonly why: string

  constructor(why: string) {
    super(why)
    this.why = why
  }
}
