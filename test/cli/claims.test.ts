// The page of claims cannot rot: every claim names a scenario, variants, cells and metrics that exist, its
// rules can be read, and the page is what the command makes of the stored figures.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { claimsCommand, readClaims } from '../../cli/claims.ts';
import { openScenario } from '../../api/scenarios.ts';
import {
  claimsSchema,
  figuresFrom,
  figuresSchema,
  holds,
  verdictOf,
  type Claim,
  type Figures,
} from '../../core/comparison/claims.ts';
import { metrics } from '../../core/metrics/registry.ts';
import { renderClaims } from '../../reports/export/claims.ts';
import { fixtureResult } from '../reports/fixture.ts';
import { call, temporaryFolder } from './tools.ts';

const all = readClaims();
const { claims } = all;
const measured = claims.filter((claim) => 'scenario' in claim);

test('there are enough claims, each with a name of its own', () => {
  assert.ok(claims.length >= 15);
  assert.equal(new Set(claims.map(({ id }) => id)).size, claims.length);
});

describe('a claim names what exists', () => {
  for (const { id, scenario: name, figures, right = [], wrong = [], text } of measured) {
    test(id, () => {
      const { scenario } = openScenario(name, []);
      const labels = scenario.variants.map(({ label }) => label);
      const units = Object.fromEntries(
        Object.entries(figures).map(([figure, source]) => {
          if ('closedLoop' in source) {
            assert.ok(scenario.closedLoop, `${name} has no closed loop`);
            return [figure, { value: 1, unit: 'per-s' as const }];
          }
          if ('chromium' in source) {
            assert.ok(labels.includes(source.chromium), `${name} has no variant "${source.chromium}"`);
            assert.ok(
              scenario.browser?.chromium.includes(source.pages),
              `${name} opens no ${source.pages} pages in Chromium`,
            );
            return [figure, { value: 1, unit: 'share' as const }];
          }
          assert.ok(
            labels.includes(source.variant),
            `${name} has no variant "${source.variant}"; it has ${labels.join(', ')}`,
          );
          if ('search' in source) {
            assert.ok(
              scenario.search.some(({ what }) => what === source.search),
              `${name} does not search over ${source.search}`,
            );
            return [
              figure,
              {
                value: 1,
                unit: source.search.endsWith('.publish') ? ('per-s' as const) : ('count' as const),
              },
            ];
          }
          assert.ok(Object.hasOwn(metrics, source.metric), `no metric ${source.metric}`);
          const cells = scenario.cells.filter(({ parameters }) =>
            Object.entries(source.where).every(([path, value]) => parameters[path] === value),
          );
          assert.ok(
            scenario.cells.length === 0 || cells.length === 1,
            `${figure} is of ${cells.length} cells`,
          );
          return [figure, { value: 1, unit: metrics[source.metric]!.unit }];
        }),
      );
      for (const rule of [...right, ...wrong]) holds(rule, units); // throws when it cannot be read
      assert.ok(text.depends !== undefined || wrong.length > 0, 'what it depends on is not said');
      for (const sentence of Object.values(text)) {
        for (const [, figure] of sentence.matchAll(/\{([^}]*)\}/g))
          assert.ok(
            figure === 'descriptor-limit' || Object.hasOwn(figures, figure!),
            `the text names {${figure}}`,
          );
      }
    });
  }
});

test('a claim that tests hold names tests that there are', () => {
  for (const one of claims) {
    if (!('held' in one)) continue;
    // A long name begins on a line of its own.
    const text = readFileSync(one.held.file, 'utf8').replaceAll(/\(\s+/g, '(');
    for (const title of one.held.tests)
      assert.ok(
        ["test('", 'test(`', "describe('"].some((call) => text.includes(call + title)),
        `${one.id}: ${one.held.file} has no test "${title}"`,
      );
  }
});

test('the page is what the command makes of the stored figures', () => {
  const figures = figuresSchema.parse(JSON.parse(readFileSync('docs/results/claims.json', 'utf8')));
  assert.equal(
    readFileSync('docs/claims.md', 'utf8'),
    renderClaims(all, figures),
    'run: npm start -- claims --write',
  );
});

test('stored figures are those of the claims as they stand', () => {
  const figures = figuresSchema.parse(JSON.parse(readFileSync('docs/results/claims.json', 'utf8')));
  for (const [name, { claims: own }] of Object.entries(figures.scenarios)) {
    const named = measured.filter(({ scenario }) => scenario === name);
    assert.deepEqual(
      Object.fromEntries(Object.entries(own).map(([id, values]) => [id, Object.keys(values)])),
      Object.fromEntries(named.map(({ id, figures: asked }) => [id, Object.keys(asked)])),
      name,
    );
  }
});

const claim = (more: object): Claim =>
  ({
    id: 'one',
    theme: 'polling',
    says: 'It is | so.',
    scenario: 'compare',
    figures: { sse: { metric: 'latency.p50', variant: 'sse', where: {} } },
    text: { right: '{sse}', depends: 'on {sse}' },
    ...more,
  }) as Claim;

const page = (...claims: Claim[]) => ({
  article: 'A',
  themes: { polling: 'Polling', other: 'Other' },
  claims,
});

describe('verdicts', () => {
  const of = (more: object, valueUs: number | null) =>
    verdictOf(claim(more) as (typeof measured)[number], {
      sse: { value: valueUs, unit: 'us', atLeast: false },
    });
  test('right, wrong, else depends', () => {
    const rules = { right: ['sse < 5ms'], wrong: ['sse > 10ms'] };
    assert.deepEqual(
      [1000, 7000, 20_000].map((value) => of(rules, value)),
      ['right', 'depends', 'wrong'],
    );
  });
  test('every rule must hold', () =>
    assert.equal(of({ right: ['sse < 5ms', 'sse > 2ms'] }, 1000), 'depends'));
  test('none without the figure', () => assert.equal(of({ right: ['sse < 5ms'] }, null), undefined));
  test('two figures are held against each other', () => {
    const figures = { a: { value: 10, unit: 'us' as const }, b: { value: 4, unit: 'us' as const } };
    assert.deepEqual([holds('a > 2 * b', figures), holds('a < 2 * b', figures)], [true, false]);
    assert.throws(() => holds('c > 2 * b', figures), /names the figure "c", and there are a, b/);
    assert.throws(() => holds('a < 5', figures), /cannot be read: .*a duration with its unit/);
  });
});

test('figures are of the trials that count, by the label of the variant', () => {
  const { claims: own } = figuresFrom(fixtureResult(), [claim({})]);
  assert.ok(own['one']!['sse']!.value! > 0);
  const trouble = figuresFrom(fixtureResult({ trouble: true }), [
    claim({ figures: { lost: { metric: 'latency.p50', variant: 'long-polling', where: {} } } }),
  ]);
  assert.equal(trouble.claims['one']!['lost']!.value, null, 'the trial does not count');
});

test('a page says what was not measured, and escapes what would break its table', () => {
  const empty: Figures = { format: 'pushbench-claims', scenarios: {} };
  assert.match(
    renderClaims(page(claim({})), empty),
    /\| It is \\\| so\. \| `compare` \| The scenario has not been run for this page\. \| no figure \|/,
  );
  const lost = {
    ...empty,
    scenarios: {
      compare: {
        ...figuresFrom(fixtureResult(), []),
        claims: { one: { sse: { value: null, unit: 'us' as const, atLeast: false } } },
      },
    },
  };
  assert.match(renderClaims(page(claim({})), lost), /No trial that counts gave sse/);
});

test('a page begins with what is wrong and what depends, and then has a table for each theme', () => {
  const published = (id: string, theme: string, verdict: string, more = {}) =>
    ({
      id,
      theme,
      says: `Claim ${id}.`,
      published: { verdict, text: `Found ${id}.`, source: 'S', ...more },
    }) as Claim;
  const text = renderClaims(
    page(
      published('a', 'other', 'right', { dependsOn: 'nothing' }),
      published('b', 'polling', 'depends', { dependsOn: 'the weather' }),
      published('c', 'other', 'wrong'),
      published('d', 'other', 'depends'),
    ),
    { format: 'pushbench-claims', scenarios: {} },
  );
  assert.match(text, /on its 4 claims: 1 wrong, 2 depends, 1 right\./);
  const lines = text.split('\n').filter((line) => /^(?:#|- |\| Claim)/.test(line));
  assert.deepEqual(lines, [
    "# The article's claims, measured",
    '## Wrong',
    '- **Claim c.** Found c. (S)',
    '## It depends',
    '- **Claim b.** It depends on the weather.',
    '- **Claim d.** Found d. (S)',
    '## All claims by theme',
    '### Polling',
    '| Claim b. | published sources | It depends on the weather. Found b. (S) | *depends* |',
    '### Other',
    '| Claim c. | published sources | Found c. (S) | **wrong** |',
    '| Claim d. | published sources | Found d. (S) | *depends* |',
    '| Claim a. | published sources | Found a. (S) | right |',
    '## What was run',
  ]);
});

test('a claim of no theme is refused, with the themes that there are', () => {
  const { error } = claimsSchema.safeParse(page(claim({ theme: 'poling' })));
  assert.match(String(error), /the claim one has the theme \\?"poling\\?", and there are polling, other/);
});

test('every theme has claims', () => {
  for (const theme of Object.keys(all.themes))
    assert.ok(
      claims.some((one) => one.theme === theme),
      theme,
    );
});

test('the command refuses a result that no claim is tested by, and a figures file that is none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'claims-'));
  const result = fixtureResult();
  writeFileSync(
    join(folder, 'result.json'),
    JSON.stringify({ ...result, scenario: { ...result.scenario, name: 'mine' } }),
  );
  const flags = { figures: join(folder, 'figures.json'), out: join(folder, 'claims.md'), write: true };
  await assert.rejects(claimsCommand([folder], flags), /no claim is tested by the scenario "mine"/);
  writeFileSync(flags.figures, '{}');
  await assert.rejects(claimsCommand([], flags), /contains no figures of claims/);
});

test('the command keeps the figures of other scenarios', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'claims-'));
  const flags = { figures: join(folder, 'figures.json'), out: join(folder, 'claims.md'), write: true };
  writeFileSync(join(folder, 'result.json'), JSON.stringify(fixtureResult()));
  const other = figuresFrom(fixtureResult(), []);
  writeFileSync(flags.figures, JSON.stringify({ format: 'pushbench-claims', scenarios: { rarely: other } }));
  assert.equal(await claimsCommand([folder], flags), 0);
  assert.deepEqual(
    Object.keys(figuresSchema.parse(JSON.parse(readFileSync(flags.figures, 'utf8'))).scenarios),
    ['rarely', 'compare'],
  );
  assert.match(readFileSync(flags.out, 'utf8'), /Long polling is better than short polling/);
});

test('a claim that a result has no figure for is named, and the command ends with 4', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'claims-'));
  const flags = { figures: join(folder, 'figures.json'), out: join(folder, 'claims.md'), write: true };
  const result = fixtureResult();
  const trials = result.trials.filter(({ variant }) => variant.pattern !== 'sse');
  writeFileSync(join(folder, 'result.json'), JSON.stringify({ ...result, trials, planned: undefined }));
  const said: string[] = [];
  const { write } = process.stderr;
  process.stderr.write = (text: string | Uint8Array) => said.push(String(text)) > 0;
  t.onTestFinished(() => void (process.stderr.write = write));
  assert.equal(await claimsCommand([folder], flags), 4);
  assert.match(said.join(''), /the claim \S+ is not judged: the result has no figure for .*sse/);
});

test('without --write nothing is written, and the page goes to standard output', async (t) => {
  const folder = temporaryFolder(t);
  const stored = () =>
    ['docs/results/claims.json', 'docs/claims.md'].map((file) => readFileSync(file, 'utf8'));
  const before = stored();
  writeFileSync(join(folder, 'result.json'), JSON.stringify(fixtureResult()));
  const { code, stdout } = await call(['claims', 'result.json'], folder);
  assert.ok(code === 0 || code === 4);
  assert.match(stdout, /^# .*[\s\S]*Long polling is better than short polling/);
  assert.deepEqual([stored(), readdirSync(folder)], [before, ['result.json']]);
  const named = ['claims', 'result.json', '--write', '--figures', 'f.json', '--out', 'page.md'];
  const { stdout: nothing, stderr } = await call(named, folder);
  assert.equal(nothing, '');
  assert.match(stderr, /Written: page\.md\n[\s\S]*Written: f\.json\n/);
});
