// A worker process with stores that are kept by its parent, moved by the test in the parent: commands come over the same channel.
import process from 'node:process'
import { FleetHost, type WorkerChannel } from '../../src/ipc/fleet-host.ts'
import { IpcStore } from '../../src/ipc/ipc-store.ts'
import { inside } from './strings.ts'

const channel = process as unknown as WorkerChannel
// Each store of each test listens to it.
process.setMaxListeners(0)
channel.on('message', (message) => {
  const { open } = message as { readonly open?: string }
  if (open === undefined) return
  new FleetHost(new IpcStore(inside(channel, `store ${open}`))).serve(inside(channel, `strings ${open}`))
  process.send!({ opened: open })
})
process.once('disconnect', () => process.exit())
process.send!('ready')
