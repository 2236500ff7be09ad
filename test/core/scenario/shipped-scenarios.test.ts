// The scenarios that come with the package: each can be read and planned, and says what it asks.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { describeScenario, parseScenario } from '../../../core/scenario/scenario-file.ts';

describe('the shipped scenarios', () => {
  const files = globSync('scenarios/*.yaml');
  test('are there', () =>
    assert.deepEqual(
      files
        .map((path) => basename(path, '.yaml'))
        .filter((name) => ['compare', 'github-webhooks'].includes(name)).length,
      2,
    ));
  for (const path of files) {
    test(`${basename(path)} is right, opens with its question and says what to notice`, () => {
      const text = readFileSync(path, 'utf8');
      const { scenario } = parseScenario(text, { file: path, registry: patterns, overrides: [] });
      assert.match(
        text,
        /^# yaml-language-server: \$schema=\.\.\/schema\/scenario\.schema\.json\n(#.*\n)*question: /,
      );
      assert.match(scenario.question, /^[A-Z].*\?$/);
      assert.ok(scenario.notice.length > 0);
    });
  }
  for (const { path, file, overrides } of files.flatMap((path) => {
    const file = readFileSync(path, 'utf8');
    return overridesIn(file).map((overrides) => ({ path, file, overrides }));
  })) {
    test(`${basename(path)} takes what it says can be set: ${overrides.join(' ')}`, () => {
      assert.doesNotThrow(() =>
        parseScenario(file, { file: path, registry: patterns, overrides, simulated: true }),
      );
    });
  }
  for (const name of ['compare', 'github-webhooks']) {
    test(`${name} runs six patterns in about 90 s, with enough deliveries for a 99th percentile`, () => {
      const { scenario } = parseScenario(readFileSync(`scenarios/${name}.yaml`, 'utf8'), {
        file: `${name}.yaml`,
        registry: patterns,
        overrides: [],
      });
      const compared = scenario.variants.map(({ pattern }) => pattern);
      assert.ok(compared.length >= 6);
      // In the registry's order. A pattern that is new may be left out: its trial takes more than 90 s.
      assert.deepEqual(
        compared,
        Object.keys(patterns).filter((name) => compared.includes(name)),
      );
      const [, deliveries, seconds] = /([\d,]+) deliveries[\s\S]*about (\d+) s/.exec(
        describeScenario(scenario),
      )!;
      assert.ok(Number(deliveries!.replaceAll(',', '')) >= 10_000);
      assert.ok(Number(seconds) <= 90);
    });
  }
});

/** What the text of a scenario names after `--set`, a list for each command: those that follow each other. */
function overridesIn(file: string): string[][] {
  const text = file.replaceAll(/\n# ?/g, ' ');
  const commands = text.matchAll(/--set (?:'[^']+'|[^\s,;:]+)(?:\s+--set (?:'[^']+'|[^\s,;:]+))*/g);
  return [...commands].map(([command]) =>
    [...command.matchAll(/--set (?:'([^']+)'|(\S+))/g)].map(([, quoted, bare]) =>
      (quoted ?? bare!).replace(/[.)]+$/, ''),
    ),
  );
}
