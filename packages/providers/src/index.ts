export { checkScores, FLAG_SCORES, flagScore } from './flag-score.ts'
export {
  type ProviderAnswer,
  type ProviderFetchOptions,
  type ProviderStream,
  providerFetch,
  providerStream,
} from './http/provider-fetch.ts'
export {
  HTTP_PROVIDER_OPTIONS,
  type HttpProviderOptions,
  type HttpProviderSpec,
  type HttpRequest,
  httpProvider,
  type Statuses,
} from './http-provider.ts'
export { type Fields, flag, list, number, object, optionalObject, required, text } from './read-json.ts'
