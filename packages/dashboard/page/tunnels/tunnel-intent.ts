import type { Intent } from '../orders/intent.ts'
import type { TunnelView } from '../api/views.ts'

/** Closing a tunnel, which awaits confirmation. */
export function closeIntent(balancer: string, { id, client, backend, protocol }: TunnelView): Intent {
  return {
    title: `Close tunnel ${id}`,
    consequence: `${client} is disconnected from ${backend}${
      protocol === 'websocket' ? ', with status 1001 (going away)' : ''
    }. It may connect again.`,
    run: async (api) => {
      await api.closeTunnel(balancer, id)
      return `Tunnel ${id} is closed.`
    },
  }
}
