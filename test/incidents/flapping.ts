import { lasts, type Incident } from './incident.ts'

const refused = '3 connects in a row failed (last: connect-refused)'
const connectRefused = '3 probes in a row failed: connect ECONNREFUSED'
const back = '2 probes in a row succeeded: HTTP 200'

/** One backend comes and goes; when somebody looks, it has just come back. */
export const flapping: Incident = {
  name: 'a backend is flapping',
  async cause(stage) {
    const b2 = stage.backend('b2')
    for (let turn = 0; turn < 3; turn++) {
      await b2.die()
      await stage.pass(lasts / 6)
      await b2.live()
      await stage.pass(lasts / 6)
    }
  },
  seen: { 200: 700 },
  api: {
    path: '/events?recent=100&type=veto,circuit',
    events: [
      `b2 laid outlier-detection: ${refused}`,
      `b2 laid outlier-detection: ${refused}`,
      `b2 laid outlier-detection: ${refused}`,
      `b2 lifted health-check: ${connectRefused}`,
      `b2 lifted health-check: ${connectRefused}`,
      `b2 lifted health-check: ${connectRefused}`,
      'b2 half-open → closed: a trial succeeded',
      'b2 half-open → closed: a trial succeeded',
      'b2 half-open → closed: a trial succeeded',
    ],
  },
  log: {
    lines: [
      `backend b2 ejected for 31.5 s: ${refused}`,
      `backend b2 back in rotation: ${back}`,
      `backend b2 ejected for 63 s: ${refused}`,
      `backend b2 still kept out by circuit-breaker; no longer by health-check: ${back}`,
      `backend b2 ejected for 94.5 s: ${refused}`,
      `backend b2 still kept out by circuit-breaker; no longer by health-check: ${back}`,
      'circuit of backend b2 closed: a trial succeeded',
      'circuit of backend b2 closed: a trial succeeded',
      'circuit of backend b2 closed: a trial succeeded',
    ],
  },
  metrics: {
    'backend_up{backend="b2"}': 1,
    'ejections_total{backend="b2"}': 3,
    'circuit_openings_total{backend="b2"}': 3,
    'probes_total{backend="b2",outcome="bad"}': 15,
    retries_total: 12,
  },
  page: {
    title: 'fastify-balancer',
    rows: { b2: { State: /^healthy$/, Errors: /^12 20 %$/, Probe: /^HTTP 200/ } },
    events: [
      `b2 unhealthy (outlier-detection): ${refused}`,
      `b2 unhealthy (health-check): ${connectRefused}`,
      `b2 no longer kept out by health-check (was: ${connectRefused})`,
    ],
  },
}
