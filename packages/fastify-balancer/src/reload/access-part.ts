import { CommandError } from '../command-error.ts'
import type { AdminConfiguration } from '../configuration/configuration.ts'
import { accessOf } from '../guard/access.ts'
import type { Access, AdminGuard } from '../guard/admin-guard.ts'
import { unchanged, type Part, type ToldChange } from './part.ts'

function shown(value: unknown): string | undefined {
  return value === undefined ? undefined : '(hidden)'
}

/** Says that a secret has changed, but not to what. */
function told(option: string, from: unknown, to: unknown): ToldChange {
  return { option, from: shown(from), to: shown(to) }
}

const stillOpen = 'the admin API was started with `insecure: true`, and is open until a restart'

function accessChanges(before: Access, now: Access): ToldChange[] {
  return [
    ...(before.token === now.token ? [] : [told('admin.token', before.token, now.token)]),
    ...(before.passwords?.digest === now.passwords?.digest
      ? []
      : [told('admin.basicAuth', before.passwords, now.passwords)]),
  ]
}

/** Who may use the admin API. A token or a file of passwords that has changed is in force for the next request. */
export function accessPart(guard: AdminGuard | undefined, admin: AdminConfiguration | false): Part {
  // Without an API there is nothing to open; whether there is one, does not change.
  if (guard === undefined || admin === false) return unchanged
  const { token, basicAuth } = admin
  let now: Access
  try {
    now = accessOf({ ...(token !== undefined && { token }), ...(basicAuth !== undefined && { basicAuth }) })
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    return { ...unchanged, faults: [{ pointer: '/admin', message: error.message }] }
  }
  const { access: before } = guard
  const changes = accessChanges(before, now)
  if (!guard.isAsked) return { ...unchanged, cannot: changes.map((change) => ({ ...change, why: stillOpen })) }
  const arePasswordsSame = before.passwords?.digest === now.passwords?.digest
  return {
    ...unchanged,
    changes,
    commit: () => {
      // Passwords that have been checked are remembered with those that they belong to.
      guard.access = arePasswordsSame ? { ...now, passwords: before.passwords } : now
    },
  }
}
