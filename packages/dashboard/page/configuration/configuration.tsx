// Room `configuration`: the options in force.
import { useEffect, useMemo, useState } from 'preact/hooks'
import { ApiError } from '../api/api-error.ts'
import type { Api } from '../api/api.ts'
import { count } from '../figures-text.ts'
import { copy } from './copy.ts'
import { foundSettings, inForce, settingsOf } from './settings.ts'

interface ConfigurationProps {
  readonly api: Api
  readonly balancer: string
  /** Of the list: the options are read again when it changes. */
  readonly revision: number
}

type Answer = { readonly options: unknown } | { readonly fault: string }

function useConfiguration({ api, balancer, revision }: ConfigurationProps, isOpen: boolean): Answer | undefined {
  const [answer, setAnswer] = useState<Answer>()
  useEffect(() => {
    if (!isOpen) return undefined
    let isGone = false
    api.configuration(balancer).then(
      (view) => {
        if (!isGone) setAnswer({ options: inForce(view) })
      },
      (error: unknown) => {
        if (!isGone) setAnswer({ fault: error instanceof ApiError ? error.message : String(error) })
      },
    )
    return () => {
      isGone = true
    }
  }, [api, balancer, revision, isOpen])
  return answer
}

function CopyButton({ options }: { readonly options: unknown }) {
  const [said, setSaid] = useState('')
  return (
    <>
      <button
        type="button"
        onClick={() =>
          void copy(JSON.stringify(options, undefined, 2)).then((isCopied) =>
            setSaid(isCopied ? 'Copied.' : 'The browser did not allow it.'),
          )
        }
      >
        Copy as JSON
      </button>
      <span role="status" aria-label="Copy" class="note">
        {said}
      </span>
    </>
  )
}

function Options({ options }: { readonly options: unknown }) {
  const [search, setSearch] = useState('')
  const settings = useMemo(() => settingsOf(options), [options])
  const shown = foundSettings(settings, search)
  return (
    <>
      <div class="toolbar">
        <input
          type="search"
          aria-label="Search options"
          placeholder="Search option or value"
          autocomplete="off"
          spellcheck={false}
          value={search}
          onInput={({ currentTarget: { value } }) => setSearch(value)}
        />
        <CopyButton options={options} />
        <p role="status" aria-label="Options shown" class="shown">
          {count(shown.length)} of {count(settings.length)}
        </p>
      </div>
      <div class="scroll" tabIndex={0} role="group" aria-label="Options in force">
        <table>
          <thead>
            <tr>
              <th scope="col">Option</th>
              <th scope="col">Value</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ path, value }) => (
              <tr key={path}>
                <th scope="row" class="id">
                  {path}
                </th>
                <td class="id">{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

/** The options in force, read when the section is opened. */
export function Configuration(props: ConfigurationProps) {
  const [isOpen, setOpen] = useState(false)
  const answer = useConfiguration(props, isOpen)
  return (
    <section class="configuration" aria-labelledby="configuration">
      <div class="title">
        <h2 id="configuration">Configuration</h2>
        <p>The options in force, without secrets.</p>
        <button type="button" class="beside" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? 'Hide' : 'Show'} configuration
        </button>
      </div>
      {isOpen && answer === undefined && <p class="note">Loading …</p>}
      {isOpen && answer !== undefined && 'fault' in answer && (
        <p role="alert" class="bad">
          {answer.fault}
        </p>
      )}
      {isOpen && answer !== undefined && 'options' in answer && <Options options={answer.options} />}
    </section>
  )
}
