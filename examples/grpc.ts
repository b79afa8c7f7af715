// gRPC: calls are balanced one by one, whatever connections clients have; deadlines, cancellation and statuses cross.
// A backend that says NOT_SERVING gets no calls, and one that keeps answering UNAVAILABLE neither. Try
//   grpcurl -plaintext $address list
import Fastify from 'fastify'
import balancer from 'fastify-balancer'

const app = Fastify({ http2: true })
await app.register(balancer, {
  backends: process.env.BACKENDS?.split(',') ?? ['http://127.0.0.1:50051', 'http://127.0.0.1:50052'],
  // Without TLS; 'http2' with it.
  pool: { protocol: 'h2c' },
  healthCheck: { type: 'grpc' },
  // Only for calls that may run twice.
  retry: { grpc: ['UNAVAILABLE'] },
})
app.get('/why', () => app.healthCheck)

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
