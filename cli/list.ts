// Implements `pushbench list`: lists the shipped scenarios and the question that each answers.

import { describeScenario } from '../core/scenario/scenario-file.ts';
import { print } from './print.ts';
import { openScenario, shippedScenarios } from './scenarios.ts';

export function listCommand(): void {
  for (const name of shippedScenarios()) print(`${describeScenario(openScenario(name, []).scenario)}\n`);
}
