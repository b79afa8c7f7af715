import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readArguments } from '../../src/command/arguments.ts'

const wrong: readonly (readonly string[])[] = [
  ['http://user:secret@127.0.0.1:3001'],
  ['https://user:sec/secret@127.0.0.1'],
  ['http://127.0.0.1:3001/path?token=secret'],
  ['ftp://user:secret@127.0.0.1'],
  ['user:secret@127.0.0.1:3001'],
  ['not an address//user:secret@h'],
  ['--port', 'http://user:secret@h'],
  ['--policy', 'http://user:secret@h'],
  ['--check', 'health?token=secret'],
  ['--unknown=http://user:secret@h'],
]

for (const argv of wrong)
  test(`what is said of ${argv.join(' ')} names no password and no query`, () => {
    assert.throws(
      () => readArguments(argv),
      ({ message }: Error) => {
        assert.match(message, /; see --help$/)
        assert.doesNotMatch(message, /secret/)
        return true
      },
    )
  })
