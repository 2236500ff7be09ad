// Tests the JUnit form, read back with an XML parser.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { test } from 'vitest';
import { renderJunit, xmlText } from '../../../reports/export/junit.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { renderMarkdown } from '../../../reports/text/markdown.ts';
import { renderTable } from '../../../reports/text/terminal.ts';
import { fixtureResult } from '../fixture.ts';

type Problem = { type: string; message: string; '#text': string };
type Case = {
  classname: string;
  name: string;
  failure?: Problem;
  error?: Problem;
  skipped?: { message: string };
};
type Tally = { tests: string; failures: string; errors: string; skipped: string };
type Suite = Tally & { name: string; timestamp: string; time: string; testcase: Case[] };
type Junit = { testsuites: Tally & { testsuite: Suite[] } };

function parseJunit(text: string): Junit {
  assert.equal(XMLValidator.validate(text), true);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    htmlEntities: true,
    isArray: (name) => name === 'testsuite' || name === 'testcase',
  });
  return parser.parse(text) as Junit; // the shape is what the tests below look at
}

test(
  'JUnit: a suite for each trial, a case for each expectation, an error for what does not count, a ' +
    'failure with both figures',
  () => {
    const result = fixtureResult({ trouble: true, repeat: 2 });
    const { testsuites } = parseJunit(renderJunit([result]));
    assert.equal(testsuites.testsuite.length, result.trials.length);
    const cases = testsuites.testsuite.flatMap(({ testcase }) => testcase);
    assert.equal(cases.length, result.expectations.length + result.trials.length);
    for (const one of [testsuites, ...testsuites.testsuite]) {
      const own = 'testcase' in one ? one.testcase : cases;
      const tally = [
        own.length,
        ...(['failure', 'error', 'skipped'] as const).map((kind) => own.filter((each) => each[kind]).length),
      ];
      assert.deepEqual([one.tests, one.failures, one.errors, one.skipped].map(Number), tally);
    }
    const of = (name: string) =>
      testsuites.testsuite.find((suite) => suite.name === `compare: ${name} (trial 1)`)!;
    const webhook = of('webhook').testcase.find(({ name }) => name === 'missed == 0')!;
    assert.equal(webhook.failure!.message, 'missed == 0: measured 12, bound 0');
    assert.equal(webhook.failure!['#text'], webhook.failure!.message);
    const limited = of('long-polling');
    assert.equal(limited.testcase[0]!.error!.type, 'load-limited');
    assert.match(
      limited.testcase[2]!.error!.message,
      /^not judged: void: the trial does not count \(latency\.p99 < 250ms\)$/,
    );
    assert.equal(of('http-stream').testcase[0]!.error!.type, 'server-died');
    assert.equal(of('sse').testcase[2]!.name, 'latency.p99 < 250ms');
    assert.equal(of('sse').time, '20');
  },
);

test('an expectation on a trial that does not count neither held nor failed, in every form', async () => {
  const result = fixtureResult({ trouble: true });
  const counting = new Set(
    result.trials.filter(({ outcome }) => outcome.valid).map(({ variant }) => variant.label),
  );
  const tested = result.expectations.filter(({ variant }) => counting.has(variant));
  const failed = tested.filter(({ held }) => !held).length;
  const untested = result.expectations.length - tested.length;
  assert.ok(failed > 0 && untested > 0);
  const { testsuites } = parseJunit(renderJunit([result]));
  // Besides, two trials: one failed, one does not count.
  assert.deepEqual([testsuites.failures, testsuites.errors].map(Number), [failed, untested + 2]);
  const title =
    `${failed} of ${result.expectations.length} expectations failed, ${untested} not judged (void: the ` +
    'trial does not count; the trial failed)';
  const [terminal, markdown, page] = [
    renderTable([result], { columns: 200, color: false }),
    renderMarkdown([result]),
    await renderHtml([result], { interactive: false }),
  ];
  for (const text of [terminal, markdown, page]) assert.ok(text.includes(title), title);
  const count = (text: string, one: RegExp) => text.match(one)?.length ?? 0;
  assert.deepEqual(
    [count(terminal, /^  failed: /gm), count(terminal, /^  not judged: /gm)],
    [failed, untested],
  );
  assert.deepEqual(
    [count(markdown, /\| failed \|$/gm), count(markdown, /\| not judged \|$/gm)],
    [failed, untested],
  );
  assert.deepEqual(
    [count(page, /<span class="bad">failed</g), count(page, /<span class="">not judged</g)],
    [failed, untested],
  );
  assert.match(renderMarkdown([result]), /\n❌ /);
  const onlyUntested = {
    ...result,
    expectations: result.expectations.filter(({ variant }) => !counting.has(variant)),
  };
  assert.match(
    renderMarkdown([onlyUntested]),
    /\n⚠️ \d of \d expectations not judged \(void: the trial does not count; the trial failed\)\./,
  );
});

test('JUnit: a run that was interrupted is an error, several results are told apart', () => {
  const result = fixtureResult();
  const stopped = parseJunit(
    renderJunit([
      { ...result, trials: [], expectations: [], state: { kind: 'interrupted', by: 'SIGINT' } as const },
    ]),
  );
  assert.equal(stopped.testsuites.errors, '1');
  const both = parseJunit(renderJunit([result, fixtureResult({ seed: 2 })]));
  assert.equal(new Set(both.testsuites.testsuite.map(({ name }) => name)).size, 12);
});

test('JUnit: an expectation that is for no trial, and a result without one, are errors', () => {
  const result = fixtureResult();
  const [first] = result.expectations;
  const nobody = {
    ...first!,
    variant: 'sse h3',
    verdict: 'not-judged' as const,
    why: 'no trial',
    held: false,
  };
  const { testsuites } = parseJunit(
    renderJunit([{ ...result, expectations: [...result.expectations, nobody] }]),
  );
  const last = testsuites.testsuite.at(-1)!;
  assert.deepEqual(
    last.testcase.map(({ name, error }) => [name, error!.message]),
    [[first!.check, 'no trial of the run is one of sse h3']],
  );
  const empty = parseJunit(renderJunit([{ ...result, trials: [], expectations: [], planned: undefined }]));
  assert.deepEqual([empty.testsuites.tests, empty.testsuites.errors], ['1', '1']);
});

test('JUnit: any text comes through as it was, but for what XML cannot hold', () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.oneof(
          fc.constantFrom('"', "'", '<', '>', '&', '\n', '\r', '\t', ']]>'),
          fc.string({ unit: 'binary', maxLength: 2 }),
        ),
        maxLength: 40,
      }),
      (text) => {
        const xml = `<a b="${xmlText(text)}"/>`;
        assert.equal(XMLValidator.validate(xml), true);
        const { a } = new XMLParser({
          ignoreAttributes: false,
          attributeNamePrefix: '',
          parseAttributeValue: false,
          trimValues: false,
          htmlEntities: true,
        }).parse(xml) as { a: { b: string } };
        const kept = text.replace(/\p{Cc}|\uFFFE|\uFFFF/gu, (one) =>
          (one >= '\x7F' && one < '\uFFFE') || '\t\n\r'.includes(one) ? one : '\uFFFD',
        );
        assert.equal(a.b, kept);
      },
    ),
  );
});
