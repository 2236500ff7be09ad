// The validation's document and how its parts are kept: a part that dies takes no other's figures with it.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { validationPage } from '../../bench/validate/document.ts';
import { table, type Kept, type Outcome, type Part } from '../../bench/validate/part.ts';
import { runParts, type PartsOptions } from '../../bench/validate/parts.ts';
import { cut } from '../../bench/validate/trials.ts';
import { markdownBlocks } from '../../reports/open/docs.ts';
import { fixtureResult } from '../reports/fixture.ts';

const kept = (title: string, held: boolean): Kept => ({
  title,
  claims: [
    { text: `${title} is right`, held },
    { text: 'and more', held: true },
  ],
  markdown: table(['what', 'figure'], [[title, '7 µs']]),
  ranAt: '2026-01-02T10:11:12.000Z',
  seconds: 90,
  machine: 'Example CPU, 2 cores',
});

test(
  'the document says what held and what did not, with the figures, ' +
    'when and where, and how to repeat each part',
  () => {
    const page = validationPage({ one: kept('First', true), two: kept('Second', false) });
    assert.match(page, /about 3 minutes/);
    assert.match(page, /^\*\*3 of 4 claims held\.\*\*$/m);
    assert.match(
      page,
      /^## First\n\n- Held: First is right\n- Held: and more\n\n\| what \| figure \|\n\| --- \| --- \|\n\| First \| 7 µs \|\n\n`npm run validate -- --only one`: 2026-01-02 10:11 UTC, 90 s on Example CPU, 2 cores\.$/m,
    );
    assert.match(page, /^- \*\*Failed\*\*: Second is right$/m);
    assert.ok(page.indexOf('## First') < page.indexOf('## Second'));
    // Everything in it is shown as it is meant in the browser too.
    const shown = markdownBlocks(page, '/docs/')
      .map(({ markup }) => markup)
      .join('\n')
      .replace(/<(pre|code)\b[\s\S]*?<\/\1>/g, '');
    assert.doesNotMatch(shown, /\*\*|`|\]\(|^\s*(?:#|\|)/m);
  },
);

test('a part without figures is said to be one, and no time is claimed for the whole', () => {
  const page = validationPage({ one: kept('First', true), two: undefined });
  assert.match(page, /\*\*2 of 2 claims held\.\*\* 1 of 2 parts have not run\./);
  assert.match(page, /## two\n\nNot run yet: `npm run validate -- --only two`\./);
  assert.doesNotMatch(page, /minutes/);
});

test('a long series is cut into whole comparisons of its pairs, one after the other', () => {
  const arm = (late: number) => {
    const result = fixtureResult({ repeat: 7, measureS: 2 });
    const trials = result.trials
      .filter(({ variant }) => variant.label === 'sse')
      .map((trial, i) => ({
        ...trial,
        startedAt: new Date(Date.UTC(2026, 0, 1, 0, i, (i + late) % 2 === 0 ? 0 : 30)).toISOString(),
      }));
    return { ...result, arm: 'sse', trials };
  };
  const parts = cut({ baseline: arm(0), candidate: arm(1) }, 3);
  assert.deepEqual(
    parts.map(({ variants, advisory }) => [variants[0]!.paired, variants[0]!.given, advisory.length]),
    [
      [true, 3, 0],
      [true, 3, 0],
    ],
  );
});

function setUp(t: TestContext): {
  options: Omit<PartsOptions, 'parts' | 'names'>;
  said: string[];
  page(): string;
} {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-validation-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true }));
  const said: string[] = [];
  const page = join(folder, 'validation.md');
  return {
    options: {
      folder: join(folder, 'kept'),
      page,
      quick: false,
      machine: 'here',
      commit: 'abc1234',
      log: (text) => void said.push(text),
    },
    said,
    page: () => readFileSync(page, 'utf8'),
  };
}

const part = (title: string, run: () => Outcome) => async (): Promise<Part> => ({
  title,
  run: async () => run(),
});
const right = (figure: string): Outcome => ({
  claims: [{ text: `it is ${figure}`, held: true }],
  markdown: figure,
});

test(
  'a part that dies is told with the command that repeats it; ' +
    'the parts before and behind it are in the document',
  async (t) => {
    const { options, said, page } = setUp(t);
    const dies = part('Second', () => {
      throw new Error('tcpdump is not allowed');
    });
    const names = ['one', 'two', 'three'];
    assert.deepEqual(
      await runParts({
        ...options,
        names,
        parts: {
          one: part('First', () => right('11 ms')),
          two: dies,
          three: part('Third', () => right('33 ms')),
        },
      }),
      ['two'],
    );
    assert.match(page(), /it is 11 ms[\s\S]*## two\n\nNot run yet[\s\S]*it is 33 ms/);
    assert.match(
      said.join('\n'),
      /DIED after \d+ s: tcpdump is not allowed[\s\S]*npm run validate -- --only two/,
    );
  },
);

test(
  'one part repeated replaces its own figures alone, and ' + 'when it dies its earlier ones stay',
  async (t) => {
    const { options, page } = setUp(t);
    let [figure, dies] = ['22 ms', false];
    const two = part('Second', () => {
      if (dies) throw new Error('no');
      return right(figure);
    });
    const parts = { one: part('First', () => right('11 ms')), two };
    assert.deepEqual(await runParts({ ...options, parts, names: ['one', 'two'] }), []);
    figure = '44 ms';
    assert.deepEqual(await runParts({ ...options, parts, names: ['two'] }), []);
    assert.match(page(), /it is 11 ms[\s\S]*it is 44 ms/);
    assert.doesNotMatch(page(), /22 ms/);
    dies = true;
    assert.deepEqual(await runParts({ ...options, parts, names: ['two'] }), ['two']);
    assert.match(page(), /it is 11 ms[\s\S]*it is 44 ms/);
  },
);

test('what does not hold is named; kept figures of another shape are none', async (t) => {
  const { options, page } = setUp(t);
  const parts = {
    one: part('First', () => ({ claims: [{ text: 'it is small', held: false }], markdown: '' })),
    two: part('Second', () => right('22 ms')),
  };
  assert.deepEqual(await runParts({ ...options, parts, names: ['one', 'two'] }), ['one']);
  assert.match(page(), /\*\*Failed\*\*: it is small/);
  writeFileSync(join(options.folder, 'two.json'), '{ "title": "Second" }');
  await runParts({ ...options, parts, names: ['one'] });
  assert.match(page(), /## two\n\nNot run yet/);
});

test('what was measured before is predicted again without a run; what was not kept cannot be', async (t) => {
  const { options, said, page } = setUp(t);
  let model = 1;
  const outcomeOf = (measured: unknown): Outcome => ({ ...right(`${measured} by model ${model}`), measured });
  const one = async (): Promise<Part> => ({
    title: 'First',
    run: async () => outcomeOf(11),
    again: (measured) => outcomeOf(measured),
  });
  const parts = { one, two: part('Second', () => right('22 ms')) };
  assert.deepEqual(await runParts({ ...options, parts, names: ['one'], again: true }), ['one']);
  assert.match(said.join('\n'), /nothing that was measured is kept: run it once without --predict-again/);
  await runParts({ ...options, parts, names: ['one', 'two'] });
  assert.match(page(), /it is 11 by model 1[\s\S]* s on here\.\n/);
  model = 2;
  assert.deepEqual(await runParts({ ...options, parts, names: ['one', 'two'], again: true }), ['two']);
  assert.match(page(), /it is 11 by model 2[\s\S]* s on here\. Predicted again, .* UTC, commit abc1234\.\n/);
  assert.match(said.join('\n'), /"Second" compares no predictions with measurements/);
  await runParts({ ...options, parts, names: ['one'] });
  assert.doesNotMatch(page(), /Predicted again/);
});
