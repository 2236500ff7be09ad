// Implements `pushbench list`: lists the shipped scenarios, the question that each answers, and its values as
// `--set` takes them.

import { parse, stringify } from 'yaml';
import { pathText } from '../core/base/overrides.ts';
import { describeScenario } from '../core/scenario/scenario-file.ts';
import { fullName } from '../core/pattern/variant.ts';
import type { Scenario } from '../core/scenario/scenario.ts';
import { listed } from '../core/base/suggest.ts';
import { models } from '../simulation/registry.ts';
import { patterns } from '../core/pattern/registry.ts';
import { obstaclesTo, whyNoModel } from '../simulation/refusals.ts';
import { print } from './print.ts';
import { quoted } from '../core/base/quoted.ts';
import { openScenario, shippedScenarios } from '../api/scenarios.ts';

/** Sentences of a scenario and its expectations: nobody sets these for a single run. */
const notSet = new Set(['question', 'notice', 'answer', 'curves', 'axis', 'expect', 'gate']);

/** @param invocation what goes before the arguments of a command of ours */
export function listCommand(invocation: string): void {
  for (const name of shippedScenarios()) {
    const { scenario, source } = openScenario(name, []);
    print(
      `${describeScenario(scenario)}\n  simulate: ${simulatedText(scenario)}\n` +
        `  --set takes: ${settable(source).map(quoted).join('  ')}\n`,
    );
  }
  print(
    `Change one as in: ${invocation} run compare --set subscribers=1000 --set 'variants=[sse, websocket]'`,
  );
}

/** Which part of it `pushbench simulate` computes, or why there is no model for it. */
function simulatedText(scenario: Scenario): string {
  const asked = scenario.cells.length > 0 ? scenario.cells.map((cell) => cell.scenario) : [scenario];
  const inTheWay = new Set(
    asked.flatMap((one) => obstaclesTo(one)).map((text) => text.slice(0, text.indexOf(':'))),
  );
  if (inTheWay.size > 0) return `not with its ${listed([...inTheWay])}`;
  const reasons = scenario.variants.map((variant) =>
    asked.map((one) => whyNoModel(variant, one, models, patterns)).find((reason) => reason !== undefined),
  );
  const out = scenario.variants.filter((_, i) => reasons[i] !== undefined).map(fullName);
  if (out.length === 0) return 'all of it';
  return out.length === scenario.variants.length ? 'none of its variants' : `all but ${listed(out)}`;
}

/** The values of a scenario as `path=value`; a list is one value. */
export function settable(source: string): string[] {
  const values = parse(source) as Record<string, unknown>; // it has been checked
  return Object.entries(values)
    .filter(([key]) => !notSet.has(key))
    .flatMap(([key, value]) => leavesOf([key], value));
}

function leavesOf(path: string[], value: unknown): string[] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.entries(value).flatMap(([key, one]) => leavesOf([...path, key], one));
  const text = stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 });
  return [`${pathText(path)}=${text.trim()}`];
}
