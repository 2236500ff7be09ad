// What parts keep of their measurements comes back whole from JSON, and is predicted again from it.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { simulation } from '../../bench/validate/simulation.ts';
import { simulationClusters } from '../../bench/validate/simulation-clusters.ts';
import { simulationSaturation } from '../../bench/validate/simulation-saturation.ts';
import { simulationStorms } from '../../bench/validate/simulation-storms.ts';
import { steadyCases } from '../../bench/validate/simulation/cluster-cases.ts';
import {
  keptGrid,
  type KeptCases,
  type KeptGrid,
  type KeptKnees,
  type KeptStorms,
} from '../../bench/validate/simulation/kept.ts';
import { stormCases } from '../../bench/validate/simulation/storm-cases.ts';
import { openProfile } from '../../api/profiles.ts';
import { temporaryFolder } from '../cli/tools.ts';
import { profileOf, steadyMachine } from '../simulation/fixture.ts';

const around = { leftOut: ['sse, 3,000: it was late.'], cores: 'servers on core 0' };
const ofTrials = {
  events: 500,
  measured: {
    requests: 0,
    deliveries: 200,
    missed: 0,
    bytes: 60_000,
    descriptors: Number.NaN,
    serverCpu: 0.02,
    besideCpu: 0,
    p50: 1000,
    p99: 4000,
  },
  between: { p50: { lowUs: 900, highUs: 1100 }, p99: { lowUs: 3000, highUs: Infinity } },
};
const point = { pattern: 'sse', subscribers: 20, perS: 10, measureMs: 2000, repetition: 1 };
const grid: KeptGrid = { rows: [{ points: [point], ...ofTrials }], ...around };

/** As it comes back from a file. */
const stored = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function profileFile(t: Parameters<typeof temporaryFolder>[0]): string {
  const file = join(temporaryFolder(t), 'machine.json');
  const { environment } = openProfile('epyc-2-cores');
  writeFileSync(file, JSON.stringify({ ...profileOf(steadyMachine), environment }));
  return file;
}

test('figures that are no number, and intervals without an end, survive being stored', () => {
  expect(keptGrid.parse(stored(grid))).toEqual(grid);
  const open = { ...grid, rows: [{ ...grid.rows[0]!, between: { p50: undefined, p99: undefined } }] };
  expect(keptGrid.parse(stored(open))).toEqual(open);
});

test('a grid is predicted again as it was, and by another profile otherwise', async (t) => {
  const first = await simulation.again!(stored(grid), profileFile(t));
  assert.match(first.markdown, /\| sse \| 20 \| 10 \| 500 \| 1 ms \(900 µs to 1\.1 ms\) \|/);
  assert.match(first.markdown, /Left out:\n\n- sse, 3,000: it was late\./);
  assert.deepEqual(await simulation.again!(stored(first.measured), profileFile(t)), first);
  const other = await simulation.again!(stored(grid), 'epyc-2-cores');
  assert.notEqual(other.markdown, first.markdown);
});

test('clusters and storms too; a case that is no longer there is named', async () => {
  const steady = steadyCases(false).find(({ kind }) => kind === 'webhook')!;
  const cases: KeptCases = { rows: [{ name: steady.name, trials: 1, ...ofTrials }], ...around };
  const { markdown } = await simulationClusters.again!(stored(cases));
  assert.match(markdown, new RegExp(`\\| ${steady.setUp} \\|`));
  const storm = stormCases(false)[0]!;
  const zero = { lastBack: 1, timeAway: 1, peakConnects: 1, refused: 0, absences: 1, connects: 1 };
  const storms: KeptStorms = {
    rows: [{ name: storm.name, measured: [{ ...zero, missed: 0, duplicated: 0 }] }],
    ...around,
  };
  assert.match((await simulationStorms.again!(stored(storms))).markdown, new RegExp(`\\| ${storm.clients},`));
  const gone = { ...cases, rows: [{ ...cases.rows[0]!, name: 'webhook, none' }] };
  assert.throws(() => simulationClusters.again!(stored(gone)), /no case "webhook, none" any more/);
});

test('a limit that a run found is searched again in a simulation; without one it has no error', async (t) => {
  const rows: KeptKnees['rows'] = [
    { pattern: 'sse', measured: { kind: 'found', value: 600, brokenAt: 675 }, why: '' },
    { pattern: 'websocket', measured: { kind: 'at-least', value: 450 }, why: 'load limited' },
  ];
  const { markdown, claims } = await simulationSaturation.again!(
    stored({ rows, cores: 'servers on core 0' }),
    profileFile(t),
  );
  // An event to 100 subscribers takes the fixture's server `cpuUs` and 100 times `eachCpuUs`.
  const { cpuUs, eachCpuUs } = steadyMachine;
  const [, held, broken] = /\| sse \| 600\/s, 675\/s \| ([\d.,]+)\/s, ([\d.,]+)\/s \|/.exec(markdown)!;
  const [low, high] = [held, broken].map((text) => Number(text!.replaceAll(',', '')));
  const most = 1e6 / (cpuUs + 100 * eachCpuUs);
  // Within four seconds a queue of 100 ms grows where a server is asked for 3 % too much.
  assert.ok(low! <= 1.05 * most && high! >= most, `${low} to ${high} for ${most}`);
  assert.match(markdown, /\| websocket \| 450\/s, none \| .* \| load limited \|/);
  assert.match(claims[0]!.text, /: \d of 1 patterns within 20 %/);
});
