export type {
  AdapterCapability,
  AdapterMount,
  AdapterRoute,
  AdapterServer,
  AdapterSetup,
  RouteAnswer,
  RouteInput,
  SuiteFacts,
} from './adapter-suite/adapter-driver.ts'
export {
  type AdapterCase,
  type AdapterSuiteOptions,
  adapterCases,
  adapterSuite,
} from './adapter-suite/adapter-suite.ts'
export { forgedHeaders } from './adapter-suite/address-cases.ts'
export { type RawAnswer, type RawRequest, rawExchange } from './adapter-suite/raw-exchange.ts'
export { clientAddressVectors } from './client-address/client-address-vectors.ts'
export type { ClientAddressVector, VectorClient, VectorOptions } from './client-address/vector.ts'
export {
  type DecisionScenario,
  type DecisionStep,
  decideAlone,
  type ScenarioScript,
  scriptScenario,
} from './decisions/decision-scenario.ts'
export { decisionScenarios } from './decisions/decision-scenarios.ts'
export { type Attack, attacks, mostInAnyWindow, runAttack } from './ladder/attacks.ts'
export type { ExpectedDecision, HistoryStep, LadderHistory } from './ladder/history.ts'
export { ladderHistories } from './ladder/ladder-histories.ts'
export { ladderSuite } from './ladder/ladder-suite.ts'
export {
  createReferenceLadder,
  createReferenceMeter,
  type ReferenceAnswer,
  type ReferenceLadder,
  type ReferenceLadderOptions,
  type ReferenceMeter,
  type ReferenceMeterOptions,
} from './ladder/model.ts'
export { pathSpellings } from './path-suite/path-spellings.ts'
export { type PathSuiteOptions, pathSuite } from './path-suite/path-suite.ts'
export type { SuiteAddresses } from './provider-suite/provider-kit.ts'
export {
  type HttpSource,
  type ProviderCapability,
  type ProviderCase,
  type ProviderSetup,
  type ProviderSuiteOptions,
  providerCases,
  providerSuite,
  type SourceState,
} from './provider-suite/provider-suite.ts'
export type { StandInAnswer } from './provider-suite/stand-in.ts'
export { customKey, entryOf, hitOf, keyOf, limiter, START as SUITE_START } from './store-suite/store-kit.ts'
export {
  type StoreCapability,
  type StoreCase,
  type StoreRequest,
  type StoreSuiteOptions,
  type SuiteClock,
  storeCases,
  storeSuite,
} from './store-suite/store-suite.ts'
export type { SuiteExpect, SuiteTest } from './suite-runner.ts'
