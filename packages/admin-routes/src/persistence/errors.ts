import { createError } from '@fastify/error'

/** The file of the lists cannot be used; the message names every fault, and the file is as it was. Thrown at boot. */
export const BrokenFileError = createError<[string, string]>(
  'FST_BALANCER_ADMIN_BROKEN_FILE',
  "The lists in '%s' cannot be used, and were left as they are: %s",
  500,
)

/** A change that was made, and would not survive a restart; the message names the system's error code. */
export const UnsavedError = createError<[string]>(
  'FST_BALANCER_ADMIN_UNSAVED',
  'The change is in force, but could not be saved (%s), so that a restart would undo it; the next change saves it too',
  507,
)
