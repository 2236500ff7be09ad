// Implements `pushbench validate`: checks scenario files and says what a run of them would be.

import { describeScenario } from '../core/scenario/scenario-file.ts';
import { noteLines, trafficLines } from '../core/plan/traffic.ts';
import { patterns } from '../core/pattern/registry.ts';
import { frontNotes } from '../core/scenario/front-notes.ts';
import { cellText } from '../core/scenario/matrix.ts';
import type { Scenario } from '../core/scenario/scenario.ts';
import { formatNumber } from '../core/base/units.ts';
import { forecast, saying } from '../harness/plan/cells.ts';
import { sourcesIn } from '../harness/plan/sources.ts';
import { machineNotes, mostNeeded } from '../harness/run/machine-notes.ts';
import { thisMachine, type Machine } from '../harness/run/machine.ts';
import { shortfalls } from '../harness/run/preflight.ts';
import { planFirstSteps } from '../harness/run/search.ts';
import { exitCodes, UserError, type ExitCode } from '../core/base/errors.ts';
import { complain, print } from './print.ts';
import { openScenario } from '../api/scenarios.ts';

/** @returns the exit code: every file is checked, whatever is wrong with the ones before it */
export function validateCommand(scenarios: readonly string[], overrides: readonly string[]): ExitCode {
  let exitCode: ExitCode = exitCodes.ok;
  for (const given of scenarios) {
    try {
      print(`${described(given, overrides)}\n`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      complain(`${error.message}\n`);
      exitCode = error.exitCode;
    }
  }
  return exitCode;
}

/** The scenario in a few lines, with what its schedule comes to. Its files are read, as a run reads them. */
function described(given: string, overrides: readonly string[]): string {
  const { scenario, source, folder } = openScenario(given, overrides);
  const sources = sourcesIn(folder);
  const machine = thisMachine();
  const firstSteps: Scenario[] = [];
  const { whole, cells } = saying(`${given}: `, () => {
    planFirstSteps(scenario, patterns, source, (first) => {
      firstSteps.push(first);
      return forecast(first, sources);
    });
    return forecast(scenario, sources);
  });
  const trials =
    cells.length === 0
      ? [{ plan: { ...whole, scenario } }]
      : cells.map(({ traffic }, i) => ({ plan: { ...traffic, scenario: scenario.cells[i]!.scenario } }));
  const lines = [
    ...machineNotes(machine, mostNeeded(scenario, trials)),
    ...unfitLines([...trials.map(({ plan }) => plan.scenario), ...firstSteps], machine),
    ...trafficLines(whole),
    ...faultLines(cells.length === 0 ? [scenario] : scenario.cells.map((cell) => cell.scenario)),
    ...cells.flatMap(({ parameters, traffic }) => [
      `with ${cellText(parameters)}: ${formatNumber(traffic.events)} events, ` +
        `${formatNumber(traffic.deliveries)} deliveries`,
      ...noteLines(traffic).map((line) => `  ${line}`),
    ]),
  ];
  return describeScenario(scenario, { ...whole, lines });
}

/** What a run would be refused for on this machine, each thing once. The file is right all the same. */
function unfitLines(scenarios: readonly Scenario[], machine: Machine): string[] {
  const short = new Set(scenarios.flatMap((scenario) => shortfalls(scenario, patterns, machine)));
  return [...short].map((line) => `this machine cannot run it: ${line}`);
}

/** What the faults of all cells do that may not be meant, each thing once. */
function faultLines(scenarios: readonly Scenario[]): string[] {
  return [...new Set(scenarios.flatMap(frontNotes).map(({ message }) => `note: ${message}`))];
}
