import { Type } from '@sinclair/typebox'

/** The setting `reports` of every load-aware policy. */
export const reports = Type.Boolean({
  default: false,
  description:
    'Ask backends for load reports (ORCA, header `endpoint-load-metrics`) and use them; clients do not see them',
})
