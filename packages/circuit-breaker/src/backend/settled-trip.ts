import { isDeepStrictEqual } from 'node:util'
import { AnyOf } from '../trip/any-of.ts'
import { Consecutive } from '../trip/consecutive.ts'
import { Rate } from '../trip/rate.ts'
import type { RateSettings } from '../trip/rate-options.ts'
import type { TripRule } from '../trip/trip-rule.ts'
import type { CircuitSettings } from './circuit-settings.ts'

type TripSettings = Pick<CircuitSettings, 'failures' | 'window' | 'rate'>

/** When a circuit opens, as its settings say; where those change, what was counted stays, as far as it still says something. */
export class SettledTrip {
  #consecutive: Consecutive | undefined
  #rate: Rate | undefined
  #rateSettings: RateSettings | false = false
  /** Another one after each change. */
  rule: TripRule

  constructor(settings: TripSettings) {
    this.rule = this.#settle(settings)
  }

  /** Failures in a row go on being counted; for a rate with other settings, the window begins empty. */
  configure(settings: TripSettings): void {
    this.rule = this.#settle(settings)
  }

  #settle({ failures, window, rate }: TripSettings): TripRule {
    if (failures === 0) this.#consecutive = undefined
    else if (this.#consecutive === undefined) this.#consecutive = new Consecutive({ failures, window })
    else this.#consecutive.configure({ failures, window })
    if (!isDeepStrictEqual(rate, this.#rateSettings)) this.#rate = rate === false ? undefined : new Rate(rate)
    this.#rateSettings = rate
    return new AnyOf(...[this.#consecutive, this.#rate].filter((rule) => rule !== undefined))
  }
}
