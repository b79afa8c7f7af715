import type { NewBackend } from '../api/api.ts'
import type { BalancerView } from '../api/views.ts'
import type { Confirmation } from '../orders/confirmation.ts'
import type { Field, Intent } from '../orders/intent.ts'

const whole = { kind: 'number', isRequired: false, step: 1 } as const
const line = { kind: 'text', isRequired: false, longest: 200 } as const

const fields: readonly Field[] = [
  {
    ...line,
    name: 'url',
    label: 'URL',
    hint: 'Where it listens: scheme, host and port; with a path, that is put before every path.',
    isRequired: true,
    longest: 2000,
    example: 'http://10.0.0.4:3000',
  },
  { ...line, name: 'id', label: 'Id', hint: 'Empty = the origin of the URL.', example: 'b4' },
  {
    ...whole,
    name: 'weight',
    label: 'Weight',
    hint: 'Its share of the traffic, relative to the others. Empty = 1.',
    minimum: 1,
    maximum: 65_535,
  },
  {
    ...whole,
    name: 'priority',
    isRare: true,
    label: 'Priority',
    hint: 'Lower is preferred; higher ones are the reserve. Empty = 0.',
    minimum: 0,
    maximum: 65_535,
  },
  {
    ...whole,
    name: 'maxInFlight',
    isRare: true,
    label: 'Most requests in flight',
    hint: 'Empty = as many as connections are allowed.',
    minimum: 1,
    maximum: 1_000_000,
  },
  { ...line, name: 'zone', isRare: true, label: 'Zone', hint: 'Where it runs.', example: 'eu-west-1a' },
  { ...line, name: 'tags', isRare: true, label: 'Tags', hint: 'Labels, separated by commas.', example: 'canary, v2' },
]

function entered(confirmation: Confirmation): NewBackend {
  const text = (name: string) => confirmation.text(name)
  const tags = (text('tags') ?? '').split(',').map((tag) => tag.trim())
  const given = {
    id: text('id'),
    weight: confirmation.number('weight'),
    priority: confirmation.number('priority'),
    maxInFlight: confirmation.number('maxInFlight'),
    zone: text('zone'),
  }
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const labels = tags.filter((tag) => tag !== '')
  return { url: text('url') ?? '', ...known, ...(labels.length > 0 && { tags: labels }) }
}

/** Adding a backend, which awaits confirmation. */
export function addIntent({ name }: BalancerView): Intent {
  return {
    title: 'Add backend',
    consequence: `It is added at the end of the list of ${name}, and gets requests once it is healthy.`,
    fields,
    run: async (api, confirmation) => {
      const { id } = await api.addBackend(name, entered(confirmation))
      return `${id} is added.`
    },
  }
}
