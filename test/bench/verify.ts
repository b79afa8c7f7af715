import { payload, whoPath, type Scenario } from './scenarios.ts'
import type { Subject } from './subjects/subject.ts'

/**
 * Makes sure that a subject does what will be measured: it answers as the backend does, and really forwards, to as many
 * backends as it should.
 * @throws Error that says what is different
 */
export async function verify(subject: Subject, port: number, scenario: Scenario, backends: readonly number[]) {
  const expected = await answer(backends[0]!, scenario)
  if (expected.status !== 200 || expected.body.length !== scenario.download)
    throw new Error(`the backend answers ${describe(expected)} to ${scenario.title}`)
  const answered = await answer(port, scenario)
  if (answered.status !== expected.status || !answered.body.equals(expected.body))
    throw new Error(`${subject.name} answers ${describe(answered)} to ${scenario.title}, not ${describe(expected)}`)

  const asked = new Set<number>()
  for (let count = 0; count < backends.length; count++) asked.add(await whoAnswers(port))
  const reached = backends.filter((backend) => asked.has(backend)).length
  if (subject.isSelective === true ? reached === 0 : reached !== subject.backends)
    throw new Error(`${subject.name} reaches ${reached} backends, not ${subject.backends}`)
}

interface Answer {
  readonly status: number
  readonly body: Buffer
}

async function answer(port: number, { method, path, upload }: Scenario): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    ...(upload > 0 && { body: payload(upload), headers: { 'content-type': 'application/octet-stream' } }),
  })
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) }
}

async function whoAnswers(port: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}${whoPath}`)
  return Number(await response.text())
}

const describe = ({ status, body }: Answer) => `${status} with ${body.length} bytes`
