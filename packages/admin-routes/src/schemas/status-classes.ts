import { Type, type Static } from '@sinclair/typebox'

const count = Type.Integer()

/** Numbers of responses by status class. */
export const ResponseCounts = Type.Object({ '1xx': count, '2xx': count, '3xx': count, '4xx': count, '5xx': count })
/** Numbers of responses by status class. */
export type ResponseCounts = Static<typeof ResponseCounts>

/** In this order. */
export const statusClasses = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const
