/** Escapes a help text. */
export function escaped(text: string): string {
  return /[\\\n]/.test(text) ? text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n') : text
}

/** One label as it is written. */
export function labelText(name: string, value: string | number): string {
  return `${name}="${escaped(String(value)).replaceAll('"', '\\"')}"`
}
