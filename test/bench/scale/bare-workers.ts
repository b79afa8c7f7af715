// As many workers as it is told, each of which loads Fastify and undici and listens, and nothing else; ends once all do.
import cluster from 'node:cluster'

const count = Number(process.argv[2])

if (cluster.isPrimary) {
  let listening = 0
  cluster.on('listening', () => {
    if (++listening === count) process.exit()
  })
  for (let worker = 0; worker < count; worker++) cluster.fork()
} else {
  const [{ default: Fastify }] = await Promise.all([import('fastify'), import('undici')])
  await Fastify().listen({ port: 0, host: '127.0.0.1' })
}
