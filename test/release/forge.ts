/** Where the source is: a repository at a forge, at the tag of one version. */
export interface Source {
  /** As people see it: `https://forge.example/owner/name`. */
  readonly web: string
  /** `v1.2.3` */
  readonly tag: string
}

type Repository = string | { readonly url?: string } | undefined

/** The address that a manifest's `repository` stands for. @throws Error if there is none, or not one that can be opened */
export function webOf(repository: Repository): string {
  const url = typeof repository === 'string' ? repository : repository?.url
  if (url === undefined)
    throw new Error('package.json: `repository` is missing; everything that npm shows is made from it')
  const [, web] = /^(?:git\+)?(https:\/\/[^/]+\/.+?)(?:\.git)?\/?$/.exec(url) ?? []
  if (web === undefined) throw new Error(`package.json: \`repository\` is ${url}, where https://… is expected`)
  return web
}

/** A file or a folder of the repository, as people read it, or as it is (pictures). */
export function addressOf({ web, tag }: Source, path: string, as: 'blob' | 'tree' | 'raw'): string {
  // GitLab keeps what is not a project behind a dash.
  const own = new URL(web).hostname.includes('gitlab') ? '/-' : ''
  return `${web}${own}/${as}/${tag}/${path}`
}
