import { Type } from '@sinclair/typebox'

/** A connection that was upgraded, e.g. to WebSocket. */
export const TunnelView = Type.Object({
  id: Type.String({ description: 'Unique within its balancer; rises with each tunnel of its instance' }),
  instance: Type.Optional(Type.String({ description: 'Where it is open; absent where there is only one' })),
  backend: Type.String({ description: 'Id of the backend' }),
  protocol: Type.String({ description: 'In lower case, e.g. `websocket`' }),
  client: Type.String({ description: 'Address of the client' }),
  path: Type.String({ description: 'Without the query' }),
  age: Type.Integer({ description: 'For how long it has been open (ms)' }),
  bytesSent: Type.Integer({ description: 'From the client to the backend' }),
  bytesReceived: Type.Integer({ description: 'From the backend to the client' }),
  closedBy: Type.Optional(Type.String({ description: 'Once it closes: who ended it, or why; `operator` by this API' })),
})

/** Some of a balancer's tunnels. */
export const TunnelsView = Type.Object({
  total: Type.Integer({ description: 'Number of open tunnels, on this page or not' }),
  tunnels: Type.Array(TunnelView, { description: 'The oldest first' }),
  next: Type.Optional(Type.String({ description: 'If there are more: `after` for the next page' })),
})
