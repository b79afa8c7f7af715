import assert from 'node:assert/strict'
import { until } from '../../support/until.ts'
import { echo, large, length, type, whole, type Case } from './case.ts'
import { values } from './exchange.ts'

/** What comes before, beside and after a body. */
export const endings: Record<string, Case> = {
  'HEAD has no body, and the length of one': {
    question: { method: 'HEAD' },
    answer: (answer) => answer.head(200, [length(1234)], true),
    check: (reply) =>
      assert.deepEqual([reply.status, reply.body, values(reply.fields, 'content-length')], [200, '', ['1234']]),
  },
  '204 has neither': {
    answer: (answer) => answer.head(204, [['x-a', '1']], true),
    check: (reply) =>
      assert.deepEqual([reply.status, reply.body, values(reply.fields, 'content-length')], [204, '', []]),
  },
  '304 has no body': {
    answer: (answer) => answer.head(304, [['etag', '"a"']], true),
    check: (reply) => assert.deepEqual([reply.status, reply.body, values(reply.fields, 'etag')], [304, '', ['"a"']]),
  },
  'trailers of a response': {
    question: { fields: [['te', 'trailers']] },
    answer: (answer) => {
      answer.head(200, [type, ['trailer', 'x-sum']])
      answer.data('text')
      answer.end([['x-sum', '7']])
    },
    check: (reply) => assert.deepEqual([reply.body, reply.trailers], ['text', [['x-sum', '7']]]),
  },
  'Early Hints before a response': {
    answer: (answer, asked) => {
      answer.interim(103, [
        ['link', '</a.css>; rel=preload; as=style'],
        ['link', '</b.js>; rel=preload; as=script'],
      ])
      echo(answer, asked)
    },
    check: (reply) => {
      const links = reply.interim.map((one) => [one.status, values(one.fields, 'link').join(', ')])
      assert.deepEqual(links, [[103, '</a.css>; rel=preload; as=style, </b.js>; rel=preload; as=script']])
    },
  },
  'a response before the upload has ended, which it stops': {
    question: { method: 'POST', body: large, open: true },
    early: true,
    answer: whole(413, [type], 'too large'),
    check: (reply) => assert.deepEqual([reply.status, reply.body], [413, 'too large']),
  },
  'a client that is told to continue': {
    question: { method: 'POST', body: 'a body', sized: true, fields: [['expect', '100-continue']] },
    check: (reply, asked) => assert.deepEqual([reply.status, asked.body], [200, 'a body']),
  },
  'a request and a response at the same time': {
    question: { method: 'POST', body: 'first second', open: true },
    early: true,
    answer: (answer, asked) => {
      answer.head(200, [type])
      answer.data('begun ')
      void until('all has come', () => asked.whole).then(() => {
        answer.data(asked.body)
        answer.end()
      })
    },
    async meanwhile(asking, backend) {
      await until('the first half is there', () => backend()?.body === 'first ' || backend()?.whole === false)
      asking.finish('second')
    },
    check: (reply, asked) => assert.deepEqual([reply.body, asked.body], ['begun first second', 'first second']),
  },
}

/** What the balancer answers itself. */
export const ours: Record<string, Case> = {
  'a path that is refused': {
    question: { path: '/a/../b' },
    check: (reply) => assert.deepEqual([reply.status, reply.whole], [400, true]),
  },
  'an expectation that nobody knows': {
    question: { method: 'POST', body: 'a body', sized: true, fields: [['expect', 'a miracle']] },
    check: (reply) => assert.deepEqual([reply.status, reply.whole], [417, true]),
  },
}
