/** Takes the arguments behind its name; answers the exit code. */
type Subcommand = (args: readonly string[]) => Promise<number>

/** Every command beside that of running, by its name. Each is loaded when it is called. */
const subcommands: Readonly<Record<string, () => Promise<Subcommand>>> = {
  check: async () => (await import('../check/check-command.ts')).checkCommand,
  import: async () => (await import('../import/import-command.ts')).importCommand,
  init: async () => (await import('../init/init-command.ts')).initCommand,
  simulate: async () => (await import('../simulation/command/simulate-command.ts')).simulateCommand,
  top: async () => (await import('../top/top-command.ts')).topCommand,
}

/** Their names. */
export const subcommandNames: readonly string[] = Object.keys(subcommands)

/** Calls one. @throws CommandError, as it does */
export async function runSubcommand(name: string, args: readonly string[]): Promise<number> {
  const subcommand = await subcommands[name]!()
  return subcommand(args)
}
