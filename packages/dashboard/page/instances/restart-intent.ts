import { ApiError } from '../api/api-error.ts'
import type { Api } from '../api/api.ts'
import { count, tunnelsText } from '../figures-text.ts'
import type { Fleet } from '../live/fleet.ts'
import type { Intent } from '../orders/intent.ts'
import type { Told } from '../orders/told.ts'

/** So long the dialog waits for the end (ms): behind it is the table that shows how far it is. */
const patience = 1500

const title = 'Restart server'

async function restart(api: Api): Promise<string> {
  const { applied, summary, faults } = await api.restart()
  if (!applied) throw new ApiError(200, { message: summary, faults })
  return summary
}

function inProgress({ instances }: Fleet): string {
  const tunnels = instances.reduce((sum, one) => sum + one.tunnels, 0)
  if (tunnels === 0) return 'Requests in flight finish.'
  return `Requests in flight finish; ${tunnelsText(tunnels)} that ${tunnels === 1 ? 'is' : 'are'} still open at the drain deadline ${tunnels === 1 ? 'is' : 'are'} closed.`
}

/** Replaces every instance by a new one. `tell` is told the outcome where the dialog did not wait for it. */
export function restartIntent(fleet: Fleet, tell: (told: Told) => void): Intent {
  return {
    title,
    consequence: `Each of the ${count(fleet.wanted ?? fleet.instances.length)} instances is replaced by a new process. New ones listen, and have probed the backends, before old ones stop accepting. ${inProgress(fleet)}`,
    run: async (api) => {
      const outcome = restart(api)
      let timer: ReturnType<typeof setTimeout> | undefined
      const begun = new Promise<undefined>((resolve) => {
        timer = setTimeout(() => resolve(undefined), patience)
      })
      const text = await Promise.race([outcome, begun]).finally(() => clearTimeout(timer))
      if (text !== undefined) return text
      outcome.then(
        (summary) => tell({ isRefusal: false, text: summary }),
        (error: unknown) => tell({ isRefusal: true, text: `${title} failed: ${(error as Error).message}` }),
      )
      return 'The rolling restart has begun. The table of instances shows how far it is.'
    },
  }
}
