// Room `tunnels`: connections that were upgraded, e.g. to WebSocket.
import { useEffect, useState } from 'preact/hooks'
import type { Intent } from '../orders/intent.ts'
import { ApiError } from '../api/api-error.ts'
import type { Api } from '../api/api.ts'
import { age, bytesText, count, tunnelsText } from '../figures-text.ts'
import type { TunnelsView, TunnelView } from '../api/views.ts'
import { closeIntent } from './tunnel-intent.ts'

interface TunnelsProps {
  readonly api: Api
  readonly balancer: string
  /** How many are open. */
  readonly open: number
  readonly canAct: boolean
  readonly onIntent: (intent: Intent) => void
}

/** How often the list is requested (ms). */
const period = 5000

const columns = ['Tunnel', 'Client', 'Path', 'Backend', 'Age', 'Sent', 'Received']

function Row({ tunnel, onClose }: { readonly tunnel: TunnelView; readonly onClose: (() => void) | undefined }) {
  const { id, protocol, client, path, backend, bytesSent, bytesReceived } = tunnel
  return (
    <tr>
      <th scope="row">
        {id} <small>{protocol}</small>
      </th>
      <td>{client}</td>
      <td>{path}</td>
      <td class="id">{backend}</td>
      <td class="number">{age(tunnel.age)}</td>
      <td class="number">{bytesText(bytesSent)}</td>
      <td class="number">{bytesText(bytesReceived)}</td>
      {onClose !== undefined && (
        <td>
          <button type="button" class="quiet" aria-label={`Close tunnel ${id}`} onClick={onClose}>
            Close
          </button>
        </td>
      )}
    </tr>
  )
}

/** The oldest tunnels of a balancer, and a button for each that closes it. */
export function Tunnels({ api, balancer, open, canAct, onIntent }: TunnelsProps) {
  const [view, setView] = useState<TunnelsView>()
  const [fault, setFault] = useState<string>()
  useEffect(() => {
    let isGone = false
    const load = () =>
      api.tunnels(balancer).then(
        (now) => {
          if (isGone) return
          setView(now)
          setFault(undefined)
        },
        (error: unknown) => {
          if (!isGone) setFault(error instanceof ApiError ? error.message : String(error))
        },
      )
    void load()
    const timer = setInterval(() => void load(), period)
    return () => {
      isGone = true
      clearInterval(timer)
    }
  }, [api, balancer, open])
  const tunnels = view?.tunnels ?? []
  const total = view?.total ?? open
  return (
    <section class="tunnels" aria-label="Tunnels">
      <div class="title">
        <h2>Tunnels</h2>
        <p>
          {tunnelsText(total)} open
          {tunnels.length < total && view !== undefined && `, the oldest ${count(tunnels.length)}`}
        </p>
      </div>
      {fault !== undefined && (
        <p role="alert" class="bad">
          {fault}
        </p>
      )}
      <div class="scroll" tabIndex={0} role="group" aria-label="Open tunnels">
        <table>
          <thead>
            <tr>
              {columns.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
              {canAct && <th scope="col">Action</th>}
            </tr>
          </thead>
          <tbody>
            {tunnels.map((tunnel) => (
              <Row
                key={tunnel.id}
                tunnel={tunnel}
                onClose={canAct ? () => onIntent(closeIntent(balancer, tunnel)) : undefined}
              />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
