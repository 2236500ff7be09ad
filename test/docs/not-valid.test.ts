// The page on runs that were not valid has every warning that there is, under the title that reports give it,
// and says of each what it makes void.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { evidenceText } from '../../core/result/evidence.ts';
import { noteCodes } from '../../core/result/trial-warning.ts';
import { voidingCodes, voidsOf } from '../../core/result/voids.ts';
import { reasonText } from '../../reports/summary/warnings.ts';
import { fixtureResult } from '../reports/fixture.ts';

const page = readFileSync('docs/how-to/not-valid.md', 'utf8');
const [, voiding = '', notes = ''] =
  /^## What makes figures void\n([\s\S]*?)^## Notes\n([\s\S]*?)^## /m.exec(page) ?? [];

const rowsOf = (text: string) =>
  [...text.matchAll(/^\| `([a-z-]+)` \| (.*) \|$/gm)].map(([, code, rest]) => {
    const [title = '', ...cells] = rest!.split(' | ');
    return { code: code!, title, cells };
  });
const inSentence = (title: string) => title.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());

test('every code is there, once', () => {
  const codesIn = (text: string) =>
    rowsOf(text)
      .map(({ code }) => code)
      .toSorted();
  assert.deepEqual(codesIn(voiding), voidingCodes.toSorted());
  assert.deepEqual(codesIn(notes), noteCodes.toSorted());
});

test('a title is that of the reports', () => {
  for (const { code, title } of [...rowsOf(voiding), ...rowsOf(notes)])
    assert.equal(inSentence(title), reasonText(code), code);
});

/** What they make void depends on the trial in more than the load clients of streams do. */
const byTrial = ['counts-disagree', 'cpu-elsewhen'];

test('what a warning makes void is what it says', () => {
  const outcome = fixtureResult({}).trials.find(({ variant }) => variant.pattern === 'sse')?.outcome;
  assert.ok(outcome?.status === 'completed');
  for (const code of voidingCodes.filter((one) => !byTrial.includes(one))) {
    const row = rowsOf(voiding).find((one) => one.code === code);
    assert.equal(row?.cells[0], evidenceText(voidsOf(code, outcome)), code);
  }
});
