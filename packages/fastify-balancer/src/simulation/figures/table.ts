import type { BackendFigures, RunFigures, SimulationFigures } from './run-figures.ts'

/** More backends than these are shown by groups. */
const mostBackends = 8

type Row = readonly string[]

/** A time, to three digits. */
function ms(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2)
}

function percent(share: number): string {
  const value = share * 100
  return value > 0 && value < 0.01 ? '<0.01 %' : `${value.toFixed(value < 0.995 && value > 0 ? 2 : 1)} %`
}

/** The first column to the left, all others to the right. */
function aligned(rows: readonly Row[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lines = rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
  )
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

function latencyTable(runs: readonly RunFigures[]): string {
  const hasKeys = runs.some(({ movedKeys }) => movedKeys !== undefined)
  const head = ['latency in ms', 'p50', 'p95', 'p99', 'p99.9', 'answers/s', 'errors', 'retried', 'starved']
  const rows = runs.map(({ policy, latency, throughput, errorShare, retriedShare, starved, movedKeys }) => [
    policy,
    ms(latency.p50),
    ms(latency.p95),
    ms(latency.p99),
    ms(latency['p99.9']),
    throughput.toFixed(throughput < 100 ? 1 : 0),
    percent(errorShare),
    percent(retriedShare),
    ms(starved),
    ...(hasKeys ? [movedKeys === undefined ? '-' : percent(movedKeys)] : []),
  ])
  return aligned([hasKeys ? [...head, 'keys moved'] : head, ...rows])
}

/** What those of one kind got together, and if they are several, each of them. */
function kindShare(backends: readonly BackendFigures[]): string {
  const shares = backends.map(({ share }) => share)
  const whole = percent(shares.reduce((sum, one) => sum + one, 0))
  return shares.length === 1 ? whole : `${whole} (${percent(Math.min(...shares))} to ${percent(Math.max(...shares))})`
}

function shareTable(runs: readonly RunFigures[]): string {
  const { backends } = runs[0]!
  const byKind = backends.length > mostBackends
  const nameOf = ({ id, kind }: BackendFigures) => (byKind ? kind : id)
  const names = [...new Set(backends.map(nameOf))]
  const rows = names.map((name) => {
    const members = (run: RunFigures) => run.backends.filter((one) => nameOf(one) === name)
    const count = members(runs[0]!).length
    return [count === 1 ? name : `${name} × ${count}`].concat(runs.map((run) => kindShare(members(run))))
  })
  return aligned([['share of requests', ...runs.map(({ policy }) => policy)], ...rows])
}

function errorTable(runs: readonly RunFigures[]): string {
  const names = [...new Set(runs.flatMap((run) => Object.keys(run.errors)))].toSorted()
  if (names.length === 0) return ''
  const rows = names.map((name) => [name].concat(runs.map((run) => String(run.errors[name] ?? 0))))
  return `\n${aligned([['errors', ...runs.map(({ policy }) => policy)], ...rows])}`
}

/** The result as text: figures of each policy, and what each backend got. */
export function table({ runs, duration, warmUp, seed }: SimulationFigures): string {
  const measured = `${warmUp / 1000} s to ${duration / 1000} s of simulated time, seed ${seed}`
  return `${latencyTable(runs)}\n${shareTable(runs)}${errorTable(runs)}\n${measured}\n`
}
