// Bodies that would not arrive are refused before the run, with the settings that would hold them.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { largestBodyBytes } from '../../../core/event/body-size.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { prepare } from '../../../harness/run/run.ts';

function prepared(t: TestContext, yaml: string, files: Record<string, string>, overrides: string[] = []) {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-bodies-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const text =
    '{ question: How large?, subscribers: 2, phases: { warmup: 0s, measure: 2s }, variants: [sse], server: ' +
    `{ maxBody: 1KiB }, ${yaml} }`;
  const { scenario, source } = parseScenario(text, { file: 'large.yaml', registry: patterns, overrides });
  const observer = { trialStarted() {}, progress() {}, trialEnded() {} };
  return prepare(scenario, {
    registry: patterns,
    folder,
    source,
    command: 'test',
    observer,
    signal: new AbortController().signal,
  });
}

const corpus = { 'bodies.json': JSON.stringify(['a', 'é'.repeat(511), 'é'.repeat(512)]) };
const ofCorpus = 'topics: { news: { publish: 3/s } }, payload: { from: bodies.json }';

test('a corpus with a body above server.maxBody', (t) => {
  assert.throws(() => prepared(t, ofCorpus, corpus), {
    code: 'body-too-large',
    message:
      '2 of the 6 events of "large" would not arrive: the largest body, on topic "news" from its corpus, ' +
      'has 1,026 bytes, and the server refuses bodies larger than server.maxBody (1 KiB). Raise it with ' +
      '--set server.maxBody=1026B, or take such bodies out of its corpus.',
  });
});

test('the setting that the message names holds it', (t) => {
  assert.equal(prepared(t, ofCorpus, corpus, ['server.maxBody=1026B']).events, 6);
});

test('a trace with a size above it', (t) => {
  const traced = 'topics: { a: { count: 2, publish: { trace: sizes.csv } } }';
  assert.throws(() => prepared(t, traced, { 'sizes.csv': '0,10\n0.1,1024\n0.2,5000\n' }), {
    message:
      /^1 of the 3 events .* not arrive: the largest body, on topic "a\.[01]" from its trace, has 5,000 bytes/,
  });
});

const huge = '{"text":"' + 'x'.repeat(largestBodyBytes) + '"}';

test('a body larger than any may be, which no setting helps', (t) => {
  assert.throws(() => prepared(t, ofCorpus, { 'bodies.json': `[1,${huge}]` }, ['server.maxBody=1GiB']), {
    code: 'body-too-large',
    message:
      '3 of the 6 events of "large" would not arrive: the largest body, on topic "news" from its corpus, ' +
      'has 8,388,619 bytes, and the body of an event has at most 8 MiB. Take such bodies out of its corpus.',
  });
});

test('a body that subscribers cannot take one of, and both settings that hold it', (t) => {
  const files = { 'bodies.json': JSON.stringify(['x'.repeat(2 * 1024 ** 2 - 2)]) };
  assert.throws(() => prepared(t, ofCorpus, files), {
    message: / "sse" .* \(1 MiB\)\. Raise it with --set \S+Body=2097152B --set \S+Buffer=2097152B, or/,
  });
  const settings = ['server.maxBody=2097152B', 'server.slowBuffer=2097152B'];
  assert.equal(prepared(t, ofCorpus, files, settings).events, 6);
});
