import { posix } from 'node:path'
import { addressOf, type Source } from './forge.ts'

/** Where a README is, and what is in the repository. */
interface Place {
  readonly source: Source
  /** Its folder in the repository. */
  readonly folder: string
  /** Whether a path of the repository is a folder. */
  readonly isFolder: (path: string) => boolean
}

const fence = /(^```.*?^```$)/ms
/** In Markdown, and in HTML within it. */
const link =
  /(?<before>!?\[(?:[^[\]]|!?\[[^[\]]*\]\([^()]*\))*\]\()(?<to>[^()\s]+)(?=\))|(?<attribute>\b(?:href|src|srcset)=")(?<value>[^"]+)(?=")/g

/** A README for npm, which knows no files beside it: relative links become addresses of the same files at the forge. */
export function standingAlone(readme: string, place: Place): string {
  const parts = readme.split(fence)
  return parts.map((part) => (part.startsWith('```') ? part : withAddresses(part, place))).join('')
}

function withAddresses(text: string, place: Place): string {
  return text.replaceAll(link, (...found) => {
    const { before, to, attribute, value } = found.at(-1) as Readonly<Record<string, string | undefined>>
    const isPicture = before?.startsWith('![') ?? attribute?.startsWith('src') ?? false
    return `${before === undefined ? attribute : withAddresses(before, place)}${addressFrom((to ?? value)!, isPicture, place)}`
  })
}

function addressFrom(to: string, isPicture: boolean, { source, folder, isFolder }: Place): string {
  if (/^(?:[a-z]+:|#|\/\/)/.test(to)) return to
  const [path = '', anchor] = to.split('#')
  const whole = posix.join(folder, path).replace(/\/$/, '')
  const address = addressOf(source, whole, isPicture ? 'raw' : isFolder(whole) ? 'tree' : 'blob')
  return anchor === undefined ? address : `${address}#${anchor}`
}

/** Every link of a README that is not in a code block. */
export function linksOf(readme: string): string[] {
  const found: string[] = []
  for (const part of readme.split(fence))
    if (!part.startsWith('```'))
      for (const { groups } of part.matchAll(link)) {
        if (groups!['before'] !== undefined) found.push(...linksOf(groups!['before']))
        found.push((groups!['to'] ?? groups!['value'])!)
      }
  return found
}
