// Room `instances`: the processes that act as one server, and restarting them.
import { count, mebibytes, nothing, percent, tunnelsText } from '../figures-text.ts'
import type { Fleet, Instance } from '../live/fleet.ts'
import { memo } from '../widgets/memo.ts'
import { driftOf } from './drift-text.ts'
import { countsText } from './instance-look.ts'
import { InstanceState } from './instance-state.tsx'

const columns = [
  ['instance', 'Instance'],
  ['state', 'State'],
  ['exchanges', 'In flight'],
  ['rate', 'Requests'],
  ['cpu', 'CPU'],
  ['memory', 'Memory'],
  ['loop', 'Event loop'],
  ['list', 'List'],
] as const

/** The revision, where there is only one balancer. */
function listText({ balancers }: Instance): string {
  const [only, ...others] = balancers
  if (only === undefined) return nothing
  return others.length === 0 ? `revision ${only.revision}` : 'in sync'
}

interface RowProps {
  readonly instance: Instance
  readonly isKeeper: boolean
  readonly drift: string | undefined
}

function Row({ instance, isKeeper, drift }: RowProps) {
  const { id, process, answered, exchanges, tunnels, rate } = instance
  const { pid, cpu, rss, heapUsed, eventLoopUtilized } = process
  const told = (text: string) => (answered ? text : nothing)
  return (
    <tr role="row" class={drift === undefined ? undefined : 'drifts'}>
      <th role="rowheader" scope="row" class="instance" title={`process ${pid}`}>
        <span class="id">{id}</span>
        {isKeeper && <small title="Probes the backends for all"> keeper</small>}
      </th>
      <td role="cell" class="state">
        <InstanceState instance={instance} />
      </td>
      <td role="cell" class="exchanges" data-label="In flight" title={tunnels > 0 ? tunnelsText(tunnels) : undefined}>
        {told(count(exchanges))}
      </td>
      <td role="cell" class="rate" data-label="Requests">
        {rate === undefined ? nothing : count(rate)}
        {rate !== undefined && <small>/s</small>}
      </td>
      <td role="cell" class="cpu" data-label="CPU">
        {told(percent(cpu))}
      </td>
      <td role="cell" class="memory" data-label="Memory" title={`Heap: ${mebibytes(heapUsed)}`}>
        {told(mebibytes(rss))}
      </td>
      <td role="cell" class="loop" data-label="Event loop">
        {told(percent(eventLoopUtilized))}
      </td>
      <td role="cell" class="list" title={drift}>
        {drift === undefined ? listText(instance) : drift}
      </td>
    </tr>
  )
}

/** All instances, the oldest first: how each is, and its load. */
function InstancesTable({ fleet }: { readonly fleet: Fleet }) {
  const { instances, keeper, wanted, room } = fleet
  return (
    <section class="instances" aria-labelledby="instances">
      <div class="title">
        <h2 id="instances">Instances</h2>
        <p class={wanted === undefined ? undefined : 'bad'}>{countsText(fleet)}</p>
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label="All instances" style={{ '--rows': room }}>
        <table role="table" aria-label="Instances">
          <thead role="rowgroup">
            <tr role="row">
              {columns.map(([name, heading]) => (
                <th key={name} role="columnheader" scope="col" class={name}>
                  {heading}
                </th>
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {instances.map((one) => (
              <Row key={one.id} instance={one} isKeeper={one.id === keeper} drift={driftOf(fleet, one.id)} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

/** Rendered again only when the instances have told something. */
export const Instances = memo(InstancesTable)
