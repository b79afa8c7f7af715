import type { Field } from '../orders/intent.ts'

/** Asks why. */
export const reasonField: Field = {
  kind: 'text',
  name: 'reason',
  label: 'Reason',
  hint: 'Shown to everybody who looks at this backend.',
  isRequired: false,
  longest: 150,
  example: 'slow since the release of 14:00',
}
