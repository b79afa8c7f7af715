import type { ErrorCode } from 'yaml'

/** What is wrong with the notation, where the words of the library would not help, by its codes. */
const messages: Partial<Record<ErrorCode, string>> = {
  TAB_AS_INDENT: 'a tab: YAML is indented with spaces',
  BLOCK_AS_IMPLICIT_KEY:
    'a value and a mapping on one line: begin a new line, or write a text that holds `: ` in quotes',
  BAD_INDENT: 'close the bracket that is open above, or indent this line more',
  BAD_SCALAR_START: 'a text that begins with this sign needs quotes',
  NON_STRING_KEY: 'the name of an option must be text',
  MULTILINE_IMPLICIT_KEY: 'expected `:` and a space after the name of an option',
}

/** About `!name` and `!!type`, or a text that begins in this way. */
export const tagFault = 'a tag, which is not used here: remove it, or write a text that begins with `!` in quotes'

interface SyntaxError {
  readonly code: ErrorCode
  readonly message: string
  readonly pos: readonly [number, number]
}

/** What is wrong with the notation, in words that say what to do. */
export function syntaxMessage({ code, message, pos: [start] }: SyntaxError, text: string): string {
  if (message.includes('call stack')) return 'brackets are nested too deeply'
  // In a flow mapping, `{` begins another one.
  if (code === 'UNEXPECTED_TOKEN' && text[start - 1] === '$' && text[start] === '{')
    return 'write a variable within braces or brackets in quotes: "${NAME}"'
  if (code === 'MISSING_CHAR' && message.startsWith('Implicit map keys'))
    return 'expected `:` and a space after the name of an option'
  if (code === 'TAG_RESOLVE_FAILED') return tagFault
  return messages[code] ?? `${message[0]!.toLowerCase()}${message.slice(1)}`
}
