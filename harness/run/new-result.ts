// Makes the result of a prepared scenario as it is before its first trial: versions, machine, scenario, and
// the planned trials.

import { redact } from '../../core/secrets/redact.ts';
import { resultFormat, resultVersion, type Planned, type Result } from '../../core/result/result.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import type { RunPlan } from '../plan/cells.ts';
import type { PlannedTrial } from '../plan/plan.ts';
import type { RunOptions, Simulation } from './run-options.ts';
import { version } from './version.ts';

/** A result of a prepared scenario before its first trial. */
export function newResult(
  plan: RunPlan<PlannedTrial>,
  { registry, source, command, targets = [], leftOut = [] }: RunOptions,
  simulated?: Simulation['of'],
): Result {
  const { scenario } = plan;
  // The command line may hold the same secrets as the environment.
  const secrets = targets.flatMap(({ access }) => access.secrets);
  return {
    format: resultFormat,
    version: resultVersion,
    pushbench: version,
    createdAt: new Date().toISOString(),
    command: redact(command, secrets),
    seed: scenario.seed,
    scenario: {
      name: scenario.name,
      question: redact(scenario.question, secrets),
      notice: scenario.notice.map((text) => redact(text, secrets)),
      subscribers: scenario.subscribers,
      topics: plan.topicTotal,
      events: plan.events,
      deliveries: plan.deliveries,
      ...(scenario.answer.length > 0 && { answer: scenario.answer }),
      ...((scenario.search.length > 0 || scenario.cells.length > 0) && { curves: scenario.curves }),
      ...(plan.besideTargets && { publishedInTurn: true }),
      ...(scenario.axis && scenario.cells.length > 0 && { axis: scenario.axis }),
      phasesMs: scenario.phases,
      source: redact(source, secrets),
    },
    environment: plan.environment,
    patterns: Object.fromEntries(
      scenario.variants.map(({ pattern }) => {
        const { title, how, lacks } = registry[pattern]!;
        return [pattern, { title, how, lacks }];
      }),
    ),
    ...(targets.length > 0 && {
      targets: targets.map(({ name, url }) => ({
        name,
        url,
        leftOut: leftOut
          .filter(({ target }) => target === name)
          .map(({ variant, reason }) => ({ variant, reason })),
      })),
    }),
    ...(simulated && { simulated }),
    trials: [],
    ...(isInterleaved(plan) && { order: { design: 'balanced-blocks' as const, seed: scenario.seed } }),
    expectations: [],
    planned: plannedIn(plan, simulated !== undefined),
    state: { kind: 'unfinished' },
  };
}

/** Repetitions take turns; of a single one the order stays as it is written. */
export function isInterleaved({ scenario, steps }: RunPlan<PlannedTrial>): boolean {
  return scenario.search.length === 0 && scenario.repeat > 1 && steps.length > 1;
}

export function repetitionsOf({ repeat }: Pick<Scenario, 'repeat'>): number[] {
  return Array.from({ length: repeat }, (_, i) => i + 1);
}

function plannedIn({ scenario, steps }: RunPlan<PlannedTrial>, isSimulated: boolean): Planned {
  const { search, variants, closedLoop, browser } = scenario;
  const afterwards = [
    ...(closedLoop ? ['closedLoop' as const] : []),
    ...((browser?.chromium ?? []).length > 0 ? ['chromium' as const] : []),
  ];
  return {
    trials:
      search.length > 0
        ? []
        : repetitionsOf(scenario).flatMap((repetition) =>
            steps.map(({ variant }) => ({ variant: variant.label, repetition })),
          ),
    searches: search.flatMap(({ what }) => variants.map(({ label }) => ({ variant: label, what }))),
    // No model has these: a simulated trial says that they are left out.
    afterwards: isSimulated ? [] : afterwards,
  };
}
