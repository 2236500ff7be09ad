// Implements `pushbench plan`: answers a capacity question by simulating one server of each pattern, and
// prints the answer for people or as JSON.

import { exitCodes, type ExitCode } from '../core/base/errors.ts';
import { printableJson } from '../core/base/printable.ts';
import { readText } from '../core/base/read-file.ts';
import {
  capacityPlanSchema,
  planFormat,
  planVersion,
  type CapacityPlan,
} from '../core/capacity/capacity-plan.ts';
import { parsePrices, type Priced, type Prices } from '../core/capacity/prices.ts';
import type { Profile } from '../core/profile/profile.ts';
import { coresText } from '../core/result/machine-text.ts';
import { requireWritable, writeWhole } from '../harness/run/store.ts';
import { version } from '../harness/run/version.ts';
import { renderPlan } from '../reports/text/plan.ts';
import { planCapacity } from '../simulation/capacity/plan-capacity.ts';
import { modelVersion } from '../simulation/model.ts';
import { capacityContext } from './capacity.ts';
import { questionOf, type QuestionFlags } from './plan-flags.ts';
import { complain } from './print.ts';
import { openProfile } from '../api/profiles.ts';
import { quoted } from '../core/base/quoted.ts';
import { terminalOf } from './terminal.ts';

export type PlanFlags = QuestionFlags & {
  profile?: string;
  prices?: string;
  json: boolean;
  html?: string;
  markdown?: string;
};

export async function planCommand({
  profile: profileFile,
  prices: pricesFile,
  json,
  html,
  markdown,
  invocation,
  ...flags
}: PlanFlags & { invocation: string }): Promise<ExitCode> {
  const prices = pricesFile === undefined ? undefined : openPrices(pricesFile);
  const { question, assumed } = questionOf(flags, prices);
  const profile = openProfile(profileFile);
  for (const file of [html, markdown]) if (file !== undefined) requireWritable(file);
  const plan = capacityPlanSchema.parse({
    format: planFormat,
    version: planVersion,
    pushbench: version,
    command: commandOf(invocation, { ...flags, profile: profileFile, prices: pricesFile }),
    question,
    assumed,
    profile: profileOf(profile),
    model: modelVersion,
    prices: prices && pricesFile !== undefined ? pricesOf(prices, pricesFile) : null,
    ...planCapacity(question, { ...capacityContext(profile), prices }),
  });
  process.stdout.write(json ? `${printableJson(plan, 1)}\n` : renderPlan(plan, terminalOf()));
  // Loaded where they are asked for.
  if (html !== undefined) {
    const { renderPlanPage } = await import('../reports/capacity/page.ts');
    write('Page', html, await renderPlanPage(plan));
  }
  if (markdown !== undefined) {
    const { renderPlanMarkdown } = await import('../reports/text/plan-markdown.ts');
    write('Markdown', markdown, renderPlanMarkdown(plan));
  }
  return exitCodes.ok;
}

function write(what: string, file: string, text: string): void {
  writeWhole(file, text, 'Free some space, or name another file.');
  complain(`${what}: ${file}`);
}

function openPrices(file: string): Prices {
  const text = readText(file, 'prices', {
    code: 'prices',
    what: `Cannot read the price file ${file}`,
    next: 'prices/example.yaml is one to copy.',
  });
  return parsePrices(text, file);
}

function profileOf({ name, createdAt, environment }: Profile): CapacityPlan['profile'] {
  return { name, createdAt, machine: `${environment.cpu}, ${coresText(environment)}` };
}

function pricesOf({ currency, note, prices }: Prices, file: string): CapacityPlan['prices'] {
  const { cores, memory } = prices.serverHour;
  return {
    file,
    currency,
    ...(note !== undefined && { note }),
    // Of all that has a price.
    of: (Object.keys(prices) as Priced[]).map((what) => {
      const { price, source, date } = prices[what];
      return { what, price, source, date };
    }),
    machine: { cores, memoryBytes: memory },
  };
}

function commandOf(invocation: string, flags: Record<string, string | undefined>): string {
  const named = Object.entries(flags).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name.replace(/P99$/, '-p99').replace(/M(?=emory)/, '-m')}`, value],
  );
  return [invocation, 'plan', ...named].map(quoted).join(' ');
}
