/** The path of the service; its methods are the parts. */
export const service = '/soak.Calls'

/** The header in which a client asks for a status. */
export const wantedStatus = 'wanted-status'

const length = 1024

/** One message of gRPC in its frame. */
export const message = Buffer.concat([Buffer.from([0, 0, 0, length >> 8, length & 0xff]), Buffer.alloc(length, 'x')])

export const contentType = 'application/grpc'
