/** The statuses of gRPC; the index is the code (grpc/doc/statuscodes.md). */
export const statusNames = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const

/** A status of gRPC, by name. */
export type StatusName = (typeof statusNames)[number]

/** What each status means in terms of HTTP: the table of Envoy's `grpcToHttpStatus`. */
const httpStatuses: Readonly<Record<StatusName, number>> = {
  OK: 200,
  CANCELLED: 499,
  UNKNOWN: 500,
  INVALID_ARGUMENT: 400,
  DEADLINE_EXCEEDED: 504,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  RESOURCE_EXHAUSTED: 429,
  FAILED_PRECONDITION: 400,
  ABORTED: 409,
  OUT_OF_RANGE: 400,
  UNIMPLEMENTED: 501,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DATA_LOSS: 500,
  UNAUTHENTICATED: 401,
}

/** The HTTP status that means the same as this one of gRPC. */
export function httpStatusOf(name: StatusName): number {
  return httpStatuses[name]
}

/** What a client makes of an HTTP status without `grpc-status` (grpc/doc/http-grpc-status-mapping.md). */
const byHttpStatus = new Map<number, StatusName>([
  [400, 'INTERNAL'],
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'UNIMPLEMENTED'],
  [429, 'UNAVAILABLE'],
  [431, 'INTERNAL'],
  [502, 'UNAVAILABLE'],
  [503, 'UNAVAILABLE'],
  [504, 'UNAVAILABLE'],
])

/** The status that a client derives from an HTTP status. */
export function statusByHttp(status: number): StatusName {
  return byHttpStatus.get(status) ?? 'UNKNOWN'
}

/** The status in a `grpc-status` field; `UNKNOWN` for a code that does not exist, as clients read it. */
export function statusOf(field: string): StatusName {
  return (/^\d{1,2}$/.test(field) ? statusNames[Number(field)] : undefined) ?? 'UNKNOWN'
}

/** The code of a status, as `grpc-status` has it. */
export function codeOf(name: StatusName): number {
  return statusNames.indexOf(name)
}
