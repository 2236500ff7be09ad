// Exports what `pushbench/receiver` offers to applications that receive webhooks. The simulated receivers of
// a benchmark use the same library.

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
export { readRawBody, type RawBody } from './raw-body.ts';
export {
  createReceiver,
  type Delivery,
  type Receiver,
  type ReceiverCounts,
  type ReceiverOptions,
} from './receive.ts';
export { createSeen, type Seen, type SeenOptions } from './seen.ts';
export { createSequencer, type Sequencer, type SequenceOptions, type Step } from './sequence.ts';
