// Exports what `@pushbench/receiver` offers to applications that receive webhooks (`pushbench/receiver` is
// the same). The simulated receivers of a benchmark use the same code.

export {
  schemeNames,
  schemes,
  type Headers,
  type SchemeName,
  type SignatureFailure,
  type SignatureScheme,
  type Verification,
  type VerifyOptions,
} from '../core/signature/schemes.ts';
export type { Answer } from './answer.ts';
export type { ReceiverCounts } from './counts.ts';
export type { Delivery, Problem } from './delivery.ts';
export type { EventOf, GithubEvent, SlackEvent, StandardEvent, StripeEvent } from './events.ts';
export type { GivenHeaders } from './headers.ts';
export type { ReceiverOptions } from './options.ts';
export { readRawBody, type RawBody } from './raw-body.ts';
export { createReceiver, type Receiver } from './receive.ts';
export { createSeen, type Seen, type SeenOptions } from './seen.ts';
export { createSequencer, type Sequencer, type SequenceOptions } from './sequence.ts';
export { sign, type SignOptions } from './sign.ts';
export {
  createStoredSequencer,
  type KeptTopic,
  type SequenceStore,
  type StoredSequenceOptions,
  type StoredSequencer,
} from './stored-sequence.ts';
export type { Step } from './topic.ts';
export type { Claim, DeliveryStore } from './store.ts';
