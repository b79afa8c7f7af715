// Room `explain`: which backend a request would go to, and why.
import { useRef, useState } from 'preact/hooks'
import { ApiError } from '../api/api-error.ts'
import type { Api } from '../api/api.ts'
import { Explanation } from './explanation.tsx'
import { readHeaders } from './header-lines.ts'
import type { ExplanationView } from '../api/explanation-view.ts'

interface ExplainProps {
  readonly api: Api
  readonly balancer: string
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** A form for a request, and the answer of `explain`. */
export function Explain({ api, balancer }: ExplainProps) {
  const [answer, setAnswer] = useState<ExplanationView>()
  const [fault, setFault] = useState<string>()
  const headers = useRef<HTMLTextAreaElement>(null)

  const ask = async (event: SubmitEvent) => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget as HTMLFormElement)
    const text = (name: string) => (fields.get(name) as string).trim()
    const written = readHeaders(text('headers'))
    if (written.bad.length > 0) {
      setFault(`Headers: expected “name: value” in line ${written.bad.join(', ')}`)
      headers.current?.focus()
      return
    }
    const address = text('address')
    const request = {
      method: text('method') || 'GET',
      url: text('path') || '/',
      headers: written.headers,
      ...(address !== '' && { address }),
    }
    try {
      setAnswer(await api.explain(balancer, request))
      setFault(undefined)
    } catch (error) {
      setFault(error instanceof ApiError ? [error.message, ...error.faults].join('; ') : String(error))
    }
  }

  return (
    <section class="explain">
      <div class="title">
        <h2>Explain</h2>
        <p>Where would a request go? Nothing is sent.</p>
      </div>
      <form aria-label="Explain" onSubmit={(event) => void ask(event)}>
        <label class="method">
          Method
          <input name="method" defaultValue="GET" list="methods" autocomplete="off" spellcheck={false} />
          <datalist id="methods">
            {methods.map((method) => (
              <option key={method} value={method} />
            ))}
          </datalist>
        </label>
        <label class="path">
          Path
          <input name="path" defaultValue="/" autocomplete="off" spellcheck={false} />
        </label>
        <label class="address">
          Client address
          <input name="address" autocomplete="off" spellcheck={false} />
        </label>
        <label class="headers">
          Headers
          <textarea ref={headers} name="headers" rows={2} placeholder="name: value" spellcheck={false} />
        </label>
        <button type="submit">Explain</button>
      </form>
      {fault !== undefined && (
        <p role="alert" class="bad">
          {fault}
        </p>
      )}
      {answer !== undefined && <Explanation answer={answer} />}
    </section>
  )
}
