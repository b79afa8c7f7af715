import { join } from 'node:path'
import { BalancerEvent } from '../../admin-routes/src/events/event.ts'
import { FiguresEvent } from '../../admin-routes/src/figures/figures-event.ts'
import { optionsIn } from '../../../test/support/options-in.ts'
import { anchored, code, page, table } from './markdown.ts'
import { formOf, type BoundedSchema } from './option-form.ts'
import { CommentedSource } from './source-comments.ts'

const source = new CommentedSource(join(import.meta.dirname, '../../admin-routes/src/events/event.ts'))
const inEveryEvent = new Set(['id', 'at', 'omitted', 'type'])

function rowsOf(schema: BoundedSchema): string[][] {
  return optionsIn(schema)
    .filter(({ path }) => !inEveryEvent.has(path))
    .map(({ path, option }) => [code(path), code(formOf(path, option, []) || 'any'), option.description ?? ''])
}

const head = ['property', 'type', 'meaning']

/** Every event of `GET /events`. */
export function eventPage(): string {
  const events = (BalancerEvent as BoundedSchema).anyOf!
  const base = {
    properties: Object.fromEntries(Object.entries(events[0]!.properties!).filter(([name]) => inEveryEvent.has(name))),
  }
  const about =
    '`GET /events` of the admin API sends them as server-sent events, as they happen; `?type=` and `?balancer=` choose. `Last-Event-ID` resumes an interrupted stream.'
  const parts = events.flatMap((schema) => {
    const type = String(schema.properties!['type']!.const)
    const comment = source.commentOf(`${type[0]!.toUpperCase()}${type.slice(1)}Event`)
    return [`## ${type}`, comment, table(head, rowsOf(schema))]
  })
  return page(
    'Events',
    about,
    'Every event has:',
    table(
      head,
      optionsIn<BoundedSchema>(base).map(({ path, option }) => [
        anchored(path, code(path)),
        path === 'type' ? 'one of those below' : code(formOf(path, option, [])),
        option.description ?? '',
      ]),
    ),
    ...parts,
    '## figures',
    'The traffic of one balancer since the last event of this type. Once a second, only with `?type=figures`.',
    table(head, rowsOf(FiguresEvent)),
  )
}
