export { FleetHost, type WorkerChannel } from './ipc/fleet-host.ts'
export { environmentName } from './ipc/messages.ts'
