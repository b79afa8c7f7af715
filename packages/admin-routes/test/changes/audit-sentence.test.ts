import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditSentence, type SentenceParts } from '../../src/changes/audit-sentence.ts'

const b2 = { id: 'b2', url: 'http://h', weight: 1, tags: [] }
const state = { what: 'backend.state', backend: 'b2', before: 'ready', drainDeadline: 30_000 } as const

const sentences: [SentenceParts, string][] = [
  [{ ...state, after: 'drain' }, 'set b2: ready → drain (deadline 30 s)'],
  [{ ...state, after: 'drain', terms: { deadline: 1500 } }, 'set b2: ready → drain (deadline 1500 ms)'],
  [{ ...state, after: 'drain', terms: { deadline: 0 } }, 'set b2: ready → drain (no deadline)'],
  [{ ...state, after: 'maintenance' }, 'set b2: ready → maintenance'],
  [{ ...state, after: 'drain', terms: { reason: 'new kernel' } }, 'set b2: ready → drain (deadline 30 s): new kernel'],
  [
    { what: 'backend.update', backend: 'b2', before: b2, after: { ...b2, weight: 5, zone: 'a', tags: ['x'] } },
    'changed b2: weight 1 → 5, tags [] → ["x"], zone none → a',
  ],
  [{ what: 'backend.update', backend: 'b2', before: b2, after: b2 }, 'changed b2: no change'],
  [
    { what: 'backend.update', backend: 'b2', before: b2, after: { ...b2, zone: 'z'.repeat(10_000) } },
    'changed b2: zone none → too long for the log',
  ],
  [{ what: 'backend.probe', backend: 'b2', before: 'up', after: 'good' }, 'probed b2: good'],
  [
    { what: 'circuit.hold', backend: 'b2', before: 'closed', after: 'isolated' },
    'set the circuit of b2: closed → isolated',
  ],
  [
    { what: 'circuit.release', backend: 'b2', before: 'isolated', after: 'closed' },
    'released the circuit of b2: isolated → closed',
  ],
  [
    {
      what: 'circuit.hold',
      backend: 'b2',
      before: 'closed',
      after: 'isolated',
      terms: { ttl: 60_000, reason: 'new disks' },
    },
    'set the circuit of b2: closed → isolated (for 60 s: new disks)',
  ],
  [
    { what: 'backend.remove', backend: 'b2', before: b2, after: undefined, revision: 3, terms: { deadline: 5000 } },
    'removed b2 (revision 3, deadline 5 s)',
  ],
  [
    {
      what: 'backends.replace',
      balancer: 'web',
      before: [b2, { ...b2, id: 'b3' }],
      after: [{ ...b2, weight: 2 }, ...['c1', 'c2', 'c3', 'c4', 'c5', 'c6'].map((id) => ({ ...b2, id }))],
      revision: 4,
    },
    'replaced the backends of balancer web (revision 4): added c1, c2, c3, c4, c5 and 1 more, removed b3, changed b2',
  ],
  [
    { what: 'backends.rollback', balancer: 'web', before: undefined, after: [b2], revision: 4 },
    'rolled back the backends of balancer web (revision 4)',
  ],
  [
    {
      what: 'tunnel.close',
      backend: 'b2',
      before: { id: '7', protocol: 'websocket', client: '10.0.0.9', path: '/' },
      after: undefined,
    },
    'closed tunnel 7 (websocket, client 10.0.0.9) of b2',
  ],
  [
    { what: 'server.state', before: 'ready', after: 'drain', terms: { grace: 10_000, close: true } },
    'set the server: ready → drain (grace 10 s, then close)',
  ],
]

for (const [parts, sentence] of sentences) test(sentence, () => assert.equal(auditSentence(parts), sentence))
