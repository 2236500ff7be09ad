// The card to share: a picture of its own with the answer, a range for each variant on one axis, and what it
// was measured with.

import assert from 'node:assert/strict';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { test } from 'vitest';
import { hexOf } from '../../../core/pattern/palette.ts';
import { quantileUs } from '../../../core/result/histogram.ts';
import { formatUs } from '../../../core/base/units.ts';
import { renderCard } from '../../../reports/page/card.ts';
import { headlinesOf } from '../../../reports/summary/headline.ts';
import { variantsOf } from '../../../reports/summary/variants.ts';
import { mergedLatency } from '../merged-latency.ts';
import { fixtureResult } from '../fixture.ts';

type Card = { svg: { '@width': string; '@height': string; title: string } };

const read = (text: string) =>
  new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '@' }).parse(text) as Card;

test('the card is an SVG of 1200 x 630 with the answer, every variant, scenario, day and machine', () => {
  const result = fixtureResult();
  const text = renderCard([result]);
  assert.equal(XMLValidator.validate(text), true);
  const { svg } = read(text);
  assert.deepEqual([svg['@width'], svg['@height'], svg.title], ['1200', '630', headlinesOf([result]).answer]);
  assert.match(text, />compare · 2026-01-02 · Example CPU, 4 cores, Node v26\.0\.0, over loopback</);
  for (const { label, completed, look } of variantsOf([result])) {
    const [p50, p99] = [0.5, 0.99].map((q) => formatUs(quantileUs(mergedLatency(completed, 'endToEnd'), q)!));
    assert.ok(text.includes(`>${label}</text>`), label);
    assert.ok(text.includes(`>${p50} to ${p99}</text>`), `${label}: ${p50} to ${p99}`);
    assert.ok(text.includes(hexOf(look, 'light')), label);
  }
  assert.doesNotMatch(text, /var\(|currentColor|href|<style/);
});

test('ranges lie on one logarithmic axis', () => {
  const text = renderCard([fixtureResult()]);
  const variants = variantsOf([fixtureResult()]);
  const drawn = [...text.matchAll(/<path d="M(\d+) (\d+)H(\d+)" stroke="#\w+" stroke-width="6"/g)].map(
    ([, from, , to]) => [Number(from), Number(to)] as const,
  );
  assert.equal(drawn.length, 6);
  const logs = variants.map(({ completed }) =>
    [0.5, 0.99].map((q) => Math.log(quantileUs(mergedLatency(completed, 'endToEnd'), q)!)),
  );
  // Two points make the axis, and all others lie on it.
  const [slowest, soonest] = [Math.max(...logs.flat()), Math.min(...logs.flat())];
  const [right, left] = [Math.max(...drawn.flat()), Math.min(...drawn.flat())];
  for (const [i, ends] of logs.entries())
    for (const [j, log] of ends.entries()) {
      const at = left + ((log - soonest) / (slowest - soonest)) * (right - left);
      assert.ok(Math.abs(at - drawn[i]![j]!) <= 2, `${variants[i]!.label}: ${at} ${drawn[i]![j]}`);
    }
});

test('what does not fit is counted, what was not measured is not drawn, text is never markup', () => {
  const many = renderCard([1, 2, 3].map((seed) => fixtureResult({ seed })));
  assert.match(many, />and 9 more</);
  const empty = { ...fixtureResult(), trials: [], expectations: [] };
  const none = renderCard([empty]);
  assert.equal(XMLValidator.validate(none), true);
  assert.doesNotMatch(none, /stroke-width="6"/);
  const plain = fixtureResult();
  const hostile = { ...plain, scenario: { ...plain.scenario, name: '</text><script>alert(1)</script>&' } };
  const text = renderCard([hostile]);
  assert.equal(XMLValidator.validate(text), true);
  assert.doesNotMatch(text, /<script/);
});
