import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quoted, withoutSecrets } from '../src/index.ts'

for (const [url, shown] of [
  ['http://10.0.0.1:3000', "'http://10.0.0.1:3000'"],
  ['http://user:secret@h:1/p?q=1#f', "'http://…@h:1/p?…'"],
  ['http://user:se/cr?et#@h', "'http://…@h'"],
  ['user:secret@h:1', "'…@h:1'"],
  ['/health?token=secret', "'/health?…'"],
  ['h\nuser:secret@x', "'…@x'"],
] as const)
  test(`${JSON.stringify(url)} is shown as ${shown}`, () => assert.equal(quoted(url), shown))

for (const [text, shown] of [
  ["url: 'http://user:secret@h/p?q=secret' is wrong; //u:secret@h too", "url: 'http://…@h/p?…' is wrong; //…@h too"],
  ['GET /a/b?token=secret has no route', 'GET /a/b?… has no route'],
  ['expected a or b? yes, mail a@b.example', 'expected a or b? yes, mail a@b.example'],
  ['https://a.example and http://user@b.example', 'https://a.example and http://…@b.example'],
] as const)
  test(`${text} becomes ${shown}`, () => assert.equal(withoutSecrets(text), shown))
