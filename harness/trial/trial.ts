// Runs one trial: processes up, subscribers connected, barrier, bursts and warm-up, measured phase, drain,
// close, everything gone. Each phase is a file of its own; what the readings mean is outcome.ts.

import { messageOf, UserError } from '../../core/base/errors.ts';
import { writeInjection } from '../../core/scenario/injection.ts';
import { networksOf } from '../../core/scenario/network.ts';
import type { Variant } from '../../core/pattern/variant.ts';
import type { Trial } from '../../core/result/result.ts';
import type { TrialWarning } from '../../core/result/trial-warning.ts';
import { createBeside } from '../cluster/beside.ts';
import { addBroker, createMembers } from './start-servers.ts';
import type { Fleet } from './fleet.ts';
import { outcomeOf } from './outcome.ts';
import { TrialFailure } from '../process/peer.ts';
import { closeAll } from './close.ts';
import { explainShort } from './load-wall.ts';
import { connect } from './connect.ts';
import { drain } from './drain.ts';
import { measure, windowAhead } from './measure.ts';
import { warmUp } from './warm-up.ts';
import { startSampling } from './sampling.ts';
import type { Readings } from './readings.ts';
import type { Peers, Progress, Stage } from './stage.ts';
import type { TrialPlan } from '../plan/plan.ts';

const stopGraceMs = 3_000;

/**
 * Runs one trial in fresh processes and leaves none behind, whatever happens.
 * @throws the signal's reason when it is aborted; anything that goes wrong in the trial itself is its outcome
 */
export async function runTrial(
  plan: TrialPlan,
  variant: Variant,
  repetition: number,
  fleet: Fleet,
  report: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Trial> {
  signal.throwIfAborted();
  const head = {
    variant,
    repetition,
    startedAt: new Date().toISOString(),
    ...(fleet.injection && { injected: writeInjection(fleet.injection) }),
    ...(fleet.pinned && { pinned: fleet.pinned }),
  };
  const peers: Peers = {
    servers: createMembers(fleet, plan, variant),
    loads: plan.loads.map((_, i) => fleet.load(i)),
    publisher: fleet.publisher(),
    ...(networksOf(plan.scenario).length > 0 && { network: fleet.network() }),
  };
  const beside = createBeside();
  const all = [...peers.servers, ...peers.loads, peers.publisher, ...(peers.network ? [peers.network] : [])];
  // Ends the phases' own waiting, whether the trial is over, broken or aborted.
  const over = new AbortController();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const broker = addBroker(fleet, plan, variant, beside);
    const stage: Stage = { plan, variant, fleet, peers, beside, broker, report, over: over.signal };
    const readings = await Promise.race([
      runPhases(stage),
      aborted.promise,
      ...all.map((peer) => peer.broken),
      beside.broken,
    ]);
    const trial = { ...head, ...outcomeOf(plan, variant, readings) };
    return head.injected === undefined
      ? trial
      : { ...trial, warnings: [alteredOnPurpose(head.injected), ...trial.warnings] };
  } catch (error) {
    if (signal.aborted) throw error;
    const why = await explainShort(error, peers.loads, signal);
    const failure =
      why instanceof TrialFailure || why instanceof UserError
        ? { code: why.code, message: why.message }
        : {
            code: 'defect',
            message:
              `${messageOf(why)} (a defect of pushbench; please report ` +
              'it with the command that led to it)',
          };
    return { ...head, warnings: [], outcome: { status: 'failed', valid: false, ...failure } };
  } finally {
    over.abort(new TrialFailure('over', 'the trial is over'));
    signal.removeEventListener('abort', onAbort);
    await Promise.all(all.map((peer) => peer.stop(stopGraceMs, signal)));
    await beside.stop();
  }
}

function alteredOnPurpose(injected: string): TrialWarning {
  return {
    code: 'injected',
    level: 'note',
    message:
      'the server was made worse on purpose (--inject ' +
      `${injected}): these figures are not the pattern's.`,
  };
}

/** What each phase returns is read by those after it, and written by nobody any more. */
async function runPhases(stage: Stage): Promise<Readings> {
  const connected = await connect(stage);
  const warmed = await warmUp(stage);
  const window = windowAhead(stage);
  const sampling = startSampling(stage.peers, window, connected.serverReadings);
  const measured = await measure(stage, window, sampling, connected.serversQueue);
  const drained = await drain(stage, window, measured, sampling);
  const closed = await closeAll(stage, drained, measured);
  return { window, ...connected, ...warmed, ...measured, ...drained, ...closed, ...sampling.close() };
}
