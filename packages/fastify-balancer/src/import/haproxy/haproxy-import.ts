// Room `import/haproxy`: reads the configuration of HAProxy, and says which of our balancers do the same.
import { Sourced, type Draft, type TreeObject } from '../result/draft.ts'
import type { Report } from '../result/report.ts'
import { balancersOf, type Route } from '../result/routes.ts'
import { optionsOf, timeoutOf } from './backend.ts'
import { bindsOfFrontend, listenerOf, type Bind } from './binds.ts'
import { forwardedOf } from './forwarded.ts'
import { textOf } from './lines.ts'
import { rulesOf, type Rule } from './rules.ts'
import { foldersOf, type Folders } from './folders.ts'
import { readSections, type Section } from './section.ts'

/** What is different from HAProxy whatever the file says; written at the top of ours. */
export const haproxyDifferences: readonly string[] = [
  'paths with dot segments (/a/../b) get 400; HAProxy forwards them',
  'x-forwarded-* and forwarded from clients are removed unless trustProxy of the listener trusts them',
  'each balancer counts requests of its backends, and checks them, for itself',
  'a refused connection goes to another backend at once; HAProxy waits up to a second, and tries the same one first',
  'requests that no rule fits are answered with 404, in HAProxy with 503',
]

interface Surroundings {
  readonly backends: ReadonlyMap<string, Section>
  readonly folders: Folders
}

interface Frontend {
  readonly section: Section
  readonly binds: readonly Bind[]
  readonly rules: readonly Rule[]
}

function frontendOf(section: Section, folders: Folders, report: Report): Frontend | undefined {
  const mode = section.get('mode')
  if (mode?.words[1] === 'http') {
    const binds = bindsOfFrontend(section, folders, report)
    const rules = binds.length === 0 ? [] : rulesOf(section, report)
    return rules.every(({ backend }) => backend === undefined) ? undefined : { section, binds, rules }
  }
  report.leaveOut(section.head.place, textOf(section.head), 'only HTTP is balanced (mode http)')
  return undefined
}

function checkClientTimeout(frontend: Section, backend: Section, report: Report): void {
  const [client, server] = [timeoutOf(frontend, 'client'), timeoutOf(backend, 'server')]
  const line = frontend.get('timeout', 'client')
  if (client !== server)
    report.differs(
      line?.place ?? frontend.head.place,
      line === undefined ? textOf(frontend.head) : textOf(line),
      `one limit, \`timeouts.idle\`, is for both sides; it is that of timeout server, ${server} ms`,
    )
}

/** Undefined where requests have nowhere to go: they are answered with 503. */
function routeOf(rule: Rule, { section }: Frontend, { backends, folders }: Surroundings, report: Report): Route {
  const { line, host, prefix, backend } = rule
  const target = backend === undefined ? undefined : backends.get(backend)
  const route = { hosts: host === undefined ? [] : [host], prefix }
  if (target === undefined) {
    if (backend !== undefined) report.leaveOut(line.place, textOf(line), `there is no backend ${backend}`)
    const why = `answered with 503: ${textOf(line)} (line ${line.place.line})`
    const options = { backends: new Sourced([], why), healthCheck: false, circuitBreaker: false }
    return { ...route, name: `closed ${prefix}`, options }
  }
  checkClientTimeout(section, target, report)
  const options: TreeObject = { ...optionsOf(target, folders, report), forwarded: forwardedOf(section, target, report) }
  return { ...route, name: target.name, options }
}

/** Routes of all frontends; of two for the same requests, the first. */
function routesOf(frontends: readonly Frontend[], surroundings: Surroundings, report: Report): readonly Route[] {
  const keys = new Set<string>()
  return frontends.flatMap((frontend) => {
    for (const other of frontends.filter((one) => one !== frontend))
      report.leaveOut(
        frontend.section.head.place,
        textOf(frontend.section.head),
        `every listener is for all balancers here: it also answers where ${other.section.name} listens`,
      )
    return frontend.rules.flatMap((rule) => {
      const key = `${rule.host ?? ''}${rule.prefix}`
      if (keys.has(key)) {
        report.leaveOut(rule.line.place, textOf(rule.line), 'an earlier frontend has the same requests')
        return []
      }
      keys.add(key)
      return [routeOf(rule, frontend, surroundings, report)]
    })
  })
}

/** Carries over what can be carried over, and reports everything else. */
export function importHaproxy(file: string, report: Report): Draft {
  const sections = readSections(file)
  const folders = foldersOf(sections)
  const backends = new Map(
    sections.filter(({ kind }) => kind === 'backend' || kind === 'listen').map((one) => [one.name, one]),
  )
  const frontends = sections
    .filter(({ kind }) => kind === 'frontend' || kind === 'listen')
    .map((section) => frontendOf(section, folders, report))
    .filter((one) => one !== undefined)
  const routes = routesOf(frontends, { backends, folders }, report)
  const draft = { listen: frontends.flatMap(({ binds }) => binds.map(listenerOf)), balancers: balancersOf(routes) }
  const used = new Set(
    frontends.flatMap(({ rules, section }) => [section.name].concat(rules.flatMap(({ backend }) => backend ?? []))),
  )
  for (const section of sections) {
    if (section.kind !== 'backend' || used.has(section.name)) section.reportRest(report)
    else report.notNeeded(section.head.place, textOf(section.head), 'no rule that is carried over leads to it')
  }
  return draft
}
