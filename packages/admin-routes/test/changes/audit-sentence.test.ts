import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditSentence, type SentenceParts } from '../../src/changes/audit-sentence.ts'

const b2 = { id: 'b2', url: 'http://h', weight: 1, tags: [] }
const state = { what: 'backend.state', backend: 'b2', before: 'ready', drainDeadline: 30_000 } as const

const sentences: [SentenceParts, string][] = [
  [{ ...state, after: 'drain' }, 'set backend b2: ready → drain (deadline 30 s)'],
  [{ ...state, after: 'drain', terms: { deadline: 1500 } }, 'set backend b2: ready → drain (deadline 1500 ms)'],
  [{ ...state, after: 'drain', terms: { deadline: 0 } }, 'set backend b2: ready → drain (no deadline)'],
  [{ ...state, after: 'maintenance' }, 'set backend b2: ready → maintenance'],
  [
    { what: 'backend.update', backend: 'b2', before: b2, after: { ...b2, weight: 5, zone: 'a', tags: ['x'] } },
    'updated backend b2: weight 1 → 5, tags [] → ["x"], zone none → a',
  ],
  [{ what: 'backend.update', backend: 'b2', before: b2, after: b2 }, 'updated backend b2: no change'],
  [
    { what: 'backend.update', backend: 'b2', before: b2, after: { ...b2, zone: 'z'.repeat(10_000) } },
    'updated backend b2: zone none → too long for the log',
  ],
  [{ what: 'backend.probe', backend: 'b2', before: 'up', after: 'good' }, 'probed backend b2: good'],
  [
    { what: 'circuit.hold', backend: 'b2', before: 'closed', after: 'isolated' },
    'set the circuit of backend b2: closed → isolated',
  ],
  [
    { what: 'circuit.release', backend: 'b2', before: 'isolated', after: 'closed' },
    'released the circuit of backend b2: isolated → closed',
  ],
  [
    {
      what: 'tunnel.close',
      backend: 'b2',
      before: { id: '7', protocol: 'websocket', client: '10.0.0.9', path: '/' },
      after: undefined,
    },
    'closed tunnel 7 (websocket, client 10.0.0.9) of backend b2',
  ],
  [
    { what: 'server.state', before: 'ready', after: 'drain', terms: { grace: 10_000, close: true } },
    'set the server: ready → drain (grace 10 s, then close)',
  ],
]

for (const [parts, sentence] of sentences) test(sentence, () => assert.equal(auditSentence(parts), sentence))
