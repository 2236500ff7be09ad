// Holds the simulator to what browsers have and to virtual time: in all that it imports no clock, no chance
// but seeded streams, nothing of Node; and a bundler makes one file of it for the web, which runs without
// Node and gives the same figures.

import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { build } from 'vite';
import { beforeAll, test } from 'vitest';
import { everyTrial, startedAt, trialOf } from './every-trial.ts';

/** Only what runs: types are stripped. */
function importsOf(text: string): string[] {
  return [...text.matchAll(/^(?:import|export)\s+(?!type\b)(?:[^;']*?from\s+)?'([^']+)'/gm)].map(
    ([, path]) => path!,
  );
}

/** The simulator's files and all of ours that they import, with their texts. */
function closure(): Map<string, string> {
  const texts = new Map<string, string>();
  const open = globSync('simulation/**/*.ts');
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (texts.has(file)) continue;
    const text = readFileSync(file, 'utf8');
    texts.set(file, text);
    for (const path of importsOf(text)) if (path.startsWith('.')) open.push(join(dirname(file), path));
  }
  return texts;
}

const codeOf = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
const files = closure();

test('imports are found, those of types left out', () => {
  const text =
    "import type { A } from 'a';\nimport { b,\n c } from 'b';\nimport 'd';\nexport { e } from './e.ts';";
  assert.deepEqual(importsOf(text), ['b', 'd', './e.ts']);
  assert.ok(files.has('core/result/histogram.ts') && files.has('simulation/events/events.ts'));
});

test('nothing of it asks for a clock, for chance or for Node', () => {
  const forbidden: Record<string, RegExp> = {
    'Math.random': /\bMath\s*\.\s*random\b/,
    'the time of Date': /\bDate\s*\.\s*now\b|\bnew\s+Date\b(?!\s*\(\s*[^)\s])|(?<!new\s)\bDate\s*\(/,
    Temporal: /\bTemporal\b/,
    performance: /\bperformance\b/,
    process: /\bprocess\s*[.[]/,
    Buffer: /\bBuffer\b/,
    'a timer': /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/,
    crypto: /\bcrypto\b/,
    require: /\brequire\s*\(/,
    'what importsOf does not see': /\bimport\s*\(/,
  };
  assert.match('Math.random()', forbidden['Math.random']!);
  const now = forbidden['the time of Date']!;
  for (const clock of ['Date.now()', 'new Date()', 'new Date;', 'Date()']) assert.match(clock, now);
  assert.doesNotMatch("Date.parse(text); new Date(ms); 'Date: Mon'", now);
  const found = [...files].flatMap(([file, text]) => [
    ...Object.entries(forbidden).flatMap(([what, pattern]) =>
      pattern.test(codeOf(text)) ? [`${file}: ${what}`] : [],
    ),
    ...importsOf(text).flatMap((path) => (path.startsWith('node:') ? [`${file} imports ${path}`] : [])),
  ]);
  assert.deepEqual(found, []);
});

const entry = [
  'simulation/events/events.ts',
  'simulation/models/line.ts',
  'simulation/simulate.ts',
  'simulation/registry.ts',
  'simulation/capacity/plan-capacity.ts',
  'core/plan/schedule.ts',
  'core/result/histogram.ts',
];
let bundle = '';

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-bundle-'));
  try {
    const entryFile = join(folder, 'entry.js');
    const lines = entry.map((file) => `export * from ${JSON.stringify(join(process.cwd(), file))};\n`);
    writeFileSync(entryFile, lines.join(''));
    const built = await build({
      configFile: false,
      logLevel: 'silent',
      build: {
        write: false,
        minify: false,
        lib: { entry: entryFile, formats: ['iife'], name: 'simulator' },
      },
    });
    const [output] = [built].flat().flatMap((one) => ('output' in one ? one.output : []));
    assert.ok(output?.type === 'chunk');
    bundle = output.code;
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Whatever would read them has loaded by then: the simulator does so only as it computes. */
const noClockNoChance = `
  const OwnDate = Date;
  const refused = (what) => () => { throw new Error(what + ' was asked'); };
  Math.random = refused('Math.random');
  Date = new Proxy(OwnDate, {
    apply: refused('the time'),
    construct: (of, args) => (args.length === 0 ? refused('the time')() : new of(...args)),
    get: (of, name) => (name === 'now' ? refused('the time') : Reflect.get(of, name)),
  });`;

/** A context of its own has the language, and what it is given: no process, no Buffer, no require. */
function inBrowser(script: string, given: Readonly<Record<string, unknown>> = {}): unknown {
  // hdr-histogram-js looks for WebAssembly in `window` as it is loaded.
  const browser = { console, TextDecoder, TextEncoder, window: {} };
  return runInNewContext(`${bundle};${noClockNoChance};${script}`, { ...browser, ...given });
}

test('vite bundles it for the web, where a histogram of millions is what it is here', () => {
  assert.doesNotMatch(bundle, /__vite-browser-external|node:[a-z]+['"]/);
  const result = inBrowser(`
    const { newEvents, newSimulatedHistogram, createLines, storeHistogram, quantileUs } = simulator;
    const histogram = newSimulatedHistogram();
    const lines = createLines(histogram);
    const events = newEvents();
    const poll = events.handler((n, nowUs) => {
      lines.add(nowUs % 5, 5, 1_000_000);
      if (n > 0) events.at(nowUs + 1_000_000, poll, n - 1);
    });
    events.at(3, poll, 99);
    events.run(1e9);
    lines.finish();
    const p50 = quantileUs(histogram, 0.5);
    JSON.stringify({ p50, ...storeHistogram(histogram) });`);
  assert.ok(typeof result === 'string');
  const { count, p50, v2 } = JSON.parse(result) as Record<string, unknown>;
  assert.equal(count, 100_000_000);
  assert.equal(p50, 2_500_607);
  assert.match(String(v2), /^HIST/);
});

test('a clock or chance that is asked there ends the script', () => {
  for (const asks of ['Math.random()', 'Date.now()', 'Date()', 'new Date()', 'new Date'])
    assert.throws(() => inBrowser(asks), /was asked/, asks);
  assert.equal(inBrowser(`new Date('${startedAt}').toISOString()`), startedAt);
});

/** The compressed form left out: a bundle may compress by another build of the same library. */
const withoutBytes = (key: string, value: unknown) => (key === 'v2' ? undefined : value);

test('trials of every pattern come out there as they do here, without a clock and without chance', () => {
  const trials = everyTrial(1);
  const result = inBrowser(
    `const { simulateTrial, models, scheduleOf } = simulator;
     const noFiles = { corpusOf: () => [], traceOf: () => '' };
     JSON.stringify(inputs.map((input) => {
       const schedule = scheduleOf(input.scenario, noFiles);
       return simulateTrial({ ...input, schedule }, models, new Date(startedAt));
     }));`,
    { inputs: trials.map(({ input }) => input), startedAt },
  );
  assert.ok(typeof result === 'string');
  const there = JSON.parse(result) as unknown[];
  assert.equal(there.length, trials.length);
  for (const [i, one] of trials.entries())
    assert.equal(
      JSON.stringify(there[i], withoutBytes),
      JSON.stringify(trialOf(one), withoutBytes),
      one.name,
    );
});
