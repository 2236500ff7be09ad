// Bodies that the server would refuse are refused before the run, with the setting that would hold them.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
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
      'The server would refuse 2 of the 6 events of "large": the largest body, on topic "news" from its ' +
      'corpus, has 1,026 bytes, and server.maxBody is 1 KiB. Raise it with --set server.maxBody=1026B, or ' +
      'take such bodies out of its corpus.',
  });
});

test('the setting that the message names holds it', (t) => {
  assert.equal(prepared(t, ofCorpus, corpus, ['server.maxBody=1026B']).events, 6);
});

test('a trace with a size above it', (t) => {
  const traced = 'topics: { a: { count: 2, publish: { trace: sizes.csv } } }';
  assert.throws(() => prepared(t, traced, { 'sizes.csv': '0,10\n0.1,1024\n0.2,5000\n' }), {
    message:
      /refuse 1 of the 3 events of "large": the largest body, on topic "a\.[01]" from its trace, has 5,000 bytes/,
  });
});
