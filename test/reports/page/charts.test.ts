// What the charts draw: curves that stop where samples end, peaks that survive thinning, looks that tell
// variants apart, headings that are true of the figures.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { quantileUs } from '../../../core/result/histogram.ts';
import type { Result } from '../../../core/result/result.ts';
import { formatUs } from '../../../core/base/units.ts';
import { colorOf, dashOf } from '../../../core/pattern/palette.ts';
import {
  slotsOfMean,
  tailPoints,
  thinned,
  timePoints,
  withRuns,
} from '../../../reports/summary/chart-data.ts';
import { charted, figures } from '../../../reports/page/figures.ts';
import { resultNames, variantsOf } from '../../../reports/summary/variants.ts';
import { mergedLatency } from '../merged-latency.ts';
import { fixtureResult } from '../fixture.ts';

test('each latency curve ends where 10 slower events remain, and says what the histogram says', () => {
  const variants = variantsOf([fixtureResult()]); // 20,000 deliveries each
  const points = tailPoints(variants);
  for (const { label, completed } of variants) {
    const own = points.filter(({ variant }) => variant === label);
    const histogram = mergedLatency(completed, 'endToEnd');
    const { tail } = own.at(-1)!; // 1 - 1/250 of 2,500 events leaves 10
    assert.ok(tail > 200 && tail < 251, `${label}: ${tail}`);
    assert.equal(own.find(({ tail }) => tail === 100)!.ms, quantileUs(histogram, 0.99)! / 1000, label);
    assert.ok(
      own.every(({ ms }, i) => i === 0 || ms >= own[i - 1]!.ms),
      'a percentile never falls',
    );
  }
});

test('in an older result the curve ends where 100 slower deliveries remain', () => {
  const short = variantsOf([fixtureResult()]).map((variant) => ({
    ...variant,
    completed: variant.completed.map((trial) => ({
      ...trial,
      precision: undefined,
      latency: { ...trial.latency, endToEnd: { ...trial.latency.firstReceiver } },
    })),
  }));
  const furthest = Math.max(...tailPoints(short).map(({ tail }) => tail));
  assert.ok(furthest >= 2 && furthest < 2.01, '200 samples carry a median and no more');
});

test('thinning keeps every peak and bounds the points, however long the run', () => {
  const long = Array.from({ length: 5000 }, (_, i) => ({
    variant: `v${i % 3}`,
    atS: Math.floor(i / 3),
    value: i === 2501 ? 999 : i % 7,
  }));
  const { points, group } = thinned(long, 3);
  assert.ok(points.length <= 600, `${points.length} points`);
  assert.ok(group > 1);
  assert.deepEqual(
    points.filter(({ value }) => value === 999),
    [long[2501]],
  );
  const few = long.slice(0, 60);
  assert.deepEqual(thinned(few, 3), { points: few, group: 1 });
  assert.deepEqual(thinned([], 3), { points: [], group: 1 });
});

test('time series skip what was not sampled instead of drawing zeros', () => {
  const [variant] = variantsOf([fixtureResult()]);
  const sampled = variant!.completed[0]!.series.columns['latencyP99Us']!.filter(
    (value) => value !== null,
  ).length;
  assert.equal(timePoints([variant!], { column: 'latencyP99Us', rests: ['latency'] }).length, sampled);
});

test('no two lines look the same, and a variant keeps its colour from run to run', () => {
  const results = [1, 2, 3, 4].map((seed) => fixtureResult({ seed }));
  const variants = variantsOf(results);
  const looks = variants.map(({ look }) => `${colorOf(look)} ${dashOf(look.pattern).join()} ${look.shape}`);
  assert.equal(new Set(looks).size, 24);
  const ofSse = variants.filter(({ own }) => own === 'sse').map(({ look }) => colorOf(look));
  assert.deepEqual(
    ofSse,
    Array.from({ length: 4 }, () => 'var(--pattern-sse)'),
  );
});

/** The lines that a drawing has, each as the number of its paths. */
function pathsOf(svg: string): string[] {
  const marks = svg.slice(svg.indexOf('mark-line'), svg.indexOf('</svg>'));
  return [...marks.matchAll(/<path[^>]* d="(M[^"A]*)"/g)].map(([, path]) => path!);
}

test('where nothing was sampled a line ends and another begins, however the points lie', async () => {
  const at = (...places: number[]) => places.map((atS) => ({ variant: 'sse', atS, value: 1 }));
  const runs = (...places: number[]) => withRuns(at(...places)).map(({ run }) => run);
  assert.deepEqual(runs(0, 0.25, 0.5, 0.75, 2, 2.25), [0, 0, 0, 0, 1, 1]);
  assert.deepEqual(runs(0, 0.25, 0.5, 1.25), [0, 0, 0, 0], 'a slot or two without an event are no gap');
  assert.deepEqual(runs(0, 1, 2, 4, 5), [0, 0, 0, 1, 1], 'of samples a second apart one is missing');
  assert.deepEqual(runs(0, 5, 10, 15, 25), [0, 0, 0, 0, 1]);
  const long = withRuns(at(...Array.from({ length: 2000 }, (_, i) => (i < 1000 ? i : i + 500))));
  const kept = thinned(long, 1).points;
  assert.ok(kept.length < 1000);
  assert.deepEqual([...new Set(kept.map(({ run }) => run))], [0, 1], 'thinning joins nothing over a gap');

  const whole = fixtureResult();
  const trials = whole.trials.slice(0, 1).map((trial) => {
    const { outcome } = trial;
    assert.equal(outcome.status, 'completed');
    const columns = Object.fromEntries(
      Object.entries(outcome.series.columns).map(([name, values]) => [
        name,
        values.map((value, i) => (i > 20 && i < 40 ? null : value)),
      ]),
    );
    return { ...trial, outcome: { ...outcome, series: { ...outcome.series, columns } } };
  });
  const drawn = async (of: Result) => {
    const all = await figures(charted(variantsOf([of])), false);
    return pathsOf(all.find(({ id }) => id === 'time-latency')!.chart!.svg).length;
  };
  assert.equal(await drawn({ ...whole, trials: whole.trials.slice(0, 1) }), 1);
  assert.equal(await drawn({ ...whole, trials }), 2);
});

test('on a scaled clock charts and percentiles are in its hours; a backlog is drawn', async () => {
  const whole = fixtureResult();
  const trials = whole.trials.flatMap((trial) => {
    const { variant, outcome } = trial;
    if (variant.pattern !== 'webhook' || outcome.status !== 'completed') return [];
    const serverBacklog = outcome.series.startUs.map((_, i) => (i % 4 === 0 ? 40 + i : null));
    return {
      ...trial,
      variant: { ...variant, options: { ...variant.options, timeScale: 3600 } },
      outcome: {
        ...outcome,
        series: { ...outcome.series, columns: { ...outcome.series.columns, serverBacklog } },
      },
    };
  });
  const drawn = await figures(charted(variantsOf([{ ...whole, trials }])), false);
  const of = (id: string) => drawn.find((figure) => figure.id === id)!;
  const backlog = of('time-backlog');
  assert.match(backlog.heading, /^Backlog over time: at most 1\d\d deliveries pending, with webhook$/);
  assert.match(backlog.chart!.svg, />hours of the scaled clock \(shaded: warm-up\)</);
  assert.match(backlog.chart!.svg, />18</, 'of 20 s, which are hours');
  assert.equal(pathsOf(backlog.chart!.svg).length, 1, 'samples a second apart are one line');
  assert.deepEqual(backlog.chart!.values!.x, { unit: 'h', times: 1 });
  // Medians of 14.5 ms are 52 s of that clock.
  assert.match(of('tail').heading, /within [\d.]+ min$/);
  assert.match(of('tail').reading, /scaled clock, 1 h for each second of the trial/);
  assert.match(of('time-median').chart!.svg, /> ?(?:50 s|1 min)</);
  assert.match(of('time-server-cpu').heading, /^Server CPU over time: at most [\d.]+ % of a core/);
  assert.doesNotMatch(of('time-server-cpu').reading, /scaled/, 'CPU is not scaled');
});

test('results are told apart by what sets them apart, as a reader would say it', () => {
  const plain = fixtureResult({ measureS: 1 });
  const at = (createdAt: string, scenario: Partial<Result['scenario']> = {}): Result => ({
    ...plain,
    createdAt,
    scenario: { ...plain.scenario, ...scenario },
  });
  const [first, other, day] = [
    at('2026-01-02T10:00:01.000Z'),
    at('2026-01-02T10:00:02.000Z'),
    at('2026-01-03T10:00:01.000Z'),
  ];
  const rows: [Result[], string[]][] = [
    [[first!], ['']],
    [
      [first!, { ...first!, scenario: { ...plain.scenario, name: 'chat' } }],
      ['compare', 'chat'],
    ],
    [
      [first!, at('2026-01-02T10:00:02.000Z', { subscribers: 2000 })],
      ['100 subscribers', '2,000 subscribers'],
    ],
    [
      [first!, at('2026-01-02T10:00:02.000Z', { events: 1 })],
      ['10 events a second', '1 event a second'],
    ],
    [
      [first!, other!],
      ['10:00:01', '10:00:02'],
    ],
    [
      [first!, day!],
      ['2026-01-02 10:00:01', '2026-01-03 10:00:01'],
    ],
    [
      [first!, first!],
      ['2026-01-02 10:00:01, 1', '2026-01-02 10:00:01, 2'],
    ],
    [
      [first!, other!, at('2026-01-02T10:00:01.000Z', { name: 'chat' })],
      ['compare, 10:00:01', 'compare, 10:00:02', 'chat, 10:00:01'],
    ],
  ];
  for (const [results, names] of rows) assert.deepEqual(resultNames(results), names);
  assert.equal(new Set(variantsOf([first!, first!]).map(({ label }) => label)).size, 12);
  assert.equal(variantsOf([first!, other!])[0]!.label, 'polling (10:00:01)');
});

test('headings are true of the figures, and what is void is not drawn, which is said', async () => {
  const variants = variantsOf([fixtureResult()]);
  const p99s = variants.map(({ completed }) => quantileUs(mergedLatency(completed, 'endToEnd'), 0.99)!);
  const drawn = await figures(charted(variants), false);
  assert.match(
    drawn[0]!.heading,
    new RegExp(
      `^99 % of deliveries came within ${formatUs(Math.min(...p99s))} with .*, within ` +
        `${formatUs(Math.max(...p99s))} with polling$`,
    ),
  );
  // Five variants share that peak: none of them is singled out.
  assert.equal(
    drawn.find(({ id }) => id === 'time-descriptors')!.heading,
    'Descriptors that the server added, over time: at most 101 in a sample, with 5 of 6 variants',
  );
  assert.ok(
    drawn.every(({ chart }) => chart?.live === undefined),
    'no specification where none is asked for',
  );
  const [tail] = await figures(charted(variantsOf([fixtureResult({ trouble: true })])), false);
  assert.match(tail!.reading, / Not drawn \(void: latencies\): long-polling\.$/);
  const shown = tail!.chart!.values!.lines.map(({ label }) => label);
  assert.ok(shown.length > 2 && !shown.includes('long-polling'), 'nor told at the pointer');
  // 1 s of 125 events: a 99th percentile is not to be had, so none is claimed.
  assert.match(
    (await figures(charted(variantsOf([fixtureResult({ measureS: 1 })])), false))[0]!.heading,
    /^90 % of deliveries/,
  );
});

test('a rate is drawn as the mean over a second, so that events that beat with the slots do not show', () => {
  const [variant] = variantsOf([fixtureResult()]);
  const base = variant!.completed[0]!;
  const of = (values: (number | null)[], more: Partial<typeof base> = {}) => {
    const series = {
      slotUs: 250_000,
      startUs: values.map((_, i) => (i - 2) * 250_000),
      columns: { requestsPerS: values },
    };
    return { ...variant!, completed: [{ ...base, series, ...more }] };
  };
  // Ten a second in slots of 250 ms: two or three, in turns.
  const beat = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? 8 : 12));
  const requests = { column: 'requestsPerS', rests: ['requests'], mean: true } as const;
  const points = timePoints([of(beat)], requests);
  assert.deepEqual(
    points.map(({ value }) => value),
    Array.from({ length: 9 }, () => 10),
  );
  // The first of them is over -0.5 s to 0.5 s: the middle of what the four slots' starts are.
  assert.deepEqual([points[0]!.atS, points[1]!.atS], [-0.125, 0.125]);
  assert.equal(timePoints([of(beat)], { ...requests, mean: false }).length, 12);
  const gap = timePoints([of([8, 8, 8, 8, null, 8, 8, 8, 8, 4, 8, 8])], requests);
  assert.deepEqual(
    gap.map(({ value }) => value),
    [8, 8, 7, 7, 7],
    'no mean over what was not sampled',
  );

  const latency = (count: number) => ({
    latency: { ...base.latency, publisherLag: { ...base.latency.publisherLag!, count } },
    measuredUs: 20e6,
  });
  const slots = (length: number, events: number, slotUs = 250_000) =>
    slotsOfMean({
      ...base,
      ...latency(events),
      series: { slotUs, startUs: Array.from({ length }, (_, i) => i * slotUs), columns: {} },
    });
  assert.equal(slots(80, 200), 4, 'a second');
  assert.equal(slots(80, 10), 8, 'the 2 s between two events');
  assert.equal(slots(80, 9), 4, 'further apart they show one by one');
  assert.equal(slots(11, 200), 3, 'three points remain');
  assert.equal(slots(80, 200, 1_000_000), 1);
});
