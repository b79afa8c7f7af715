import { createError } from '@fastify/error'

/** The file with saved lists is invalid; the message names every fault. The file is not changed. Thrown at boot. */
export const BrokenFileError = createError<[string, string]>(
  'FST_BALANCER_ADMIN_BROKEN_FILE',
  "The saved lists in '%s' are invalid (the file was not changed): %s",
  500,
)

/** A change was made but not saved, so a restart would undo it; the message names the system's error code. */
export const UnsavedError = createError<[string]>(
  'FST_BALANCER_ADMIN_UNSAVED',
  'The change is in force but could not be saved (%s): a restart would undo it. The next change saves it too',
  507,
)
