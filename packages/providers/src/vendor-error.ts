import { IpGuardError, type IpGuardErrorCode } from '@ipguard/core'
import type { ProviderAnswer } from './http/provider-fetch.ts'
import { type Fields, optionalObject } from './read-json.ts'
import { oneLine } from './verdict-of.ts'

const QUOTA = /quota|limit|exceed|exhaust|too many|insufficient|credit|per second/i
const REFUSED = /\bkeys?\b|token|unauthori[sz]ed|forbidden|denied|banned|blocked|disabled|suspended|not permitted/i
const LONGEST = 300

/**
 * The error for what a vendor says instead of an answer, by its words; by `otherwise` when they tell nothing.
 *
 * The words are quoted, so that an operator can read them, unless anybody on the way may have written them. They are quoted whole or not at all: whoever cuts a text may cut a key in two, and half of it would no longer be found and taken out.
 */
export function vendorError(
  name: string,
  words: unknown,
  otherwise: IpGuardErrorCode,
  isQuoted: boolean = true,
): IpGuardError {
  const said = oneLine(words, LONGEST)
  const code = !said
    ? otherwise
    : QUOTA.test(said)
      ? 'IPGUARD_PROVIDER_QUOTA'
      : REFUSED.test(said)
        ? 'IPGUARD_PROVIDER_REFUSED'
        : otherwise
  const quoted = isQuoted && said && String(words).length <= LONGEST ? ` It says: "${said}".` : ''
  return new IpGuardError(code, `${name} gave no verdict (${MEANING[code] ?? 'it could not tell'}).${quoted}`)
}

const MEANING: Partial<Record<IpGuardErrorCode, string>> = {
  IPGUARD_PROVIDER_QUOTA: 'its quota is used up',
  IPGUARD_PROVIDER_REFUSED: 'it does not accept the key, or this address as a caller',
  IPGUARD_PROVIDER_ANSWER: 'its answer says neither yes nor no',
}

/** The fields of an answer whose status says too little, for its words; undefined when it is no JSON object. */
export function fieldsOf(answer: ProviderAnswer): Fields | undefined {
  try {
    return optionalObject(answer.json())
  } catch {
    return undefined
  }
}
