// Asks whether the instrument is right (`npm run validate`): runs the parts of the validation and writes
// docs/validation.md from the figures of all, which it keeps in docs/results/validation/.
//
// --only NAME runs one part; with --predict-again it runs nothing and predicts again what was measured
// before. --quick runs everything in its shortest form, --seed N repeats one case of a part whose cases are
// numbered, --cases N runs that many cases of a part; with these three the document is not written.
// --profile FILE names a profile for simulations instead of the shipped one.

import { parseArgs } from 'node:util';
import { formatBytes } from '../../core/base/units.ts';
import { readEnvironment } from '../../harness/run/environment.ts';
import { clusterParts } from './cluster/parts.ts';
import type { Part } from './part.ts';
import { runParts } from './parts.ts';

const parts: Readonly<Record<string, () => Promise<Part>>> = {
  synthetic: async () => (await import('./synthetic.ts')).synthetic,
  percentiles: async () => (await import('./percentiles.ts')).percentiles,
  'known-delay': async () => (await import('./known-delay.ts')).knownDelay,
  counts: async () => (await import('./counts.ts')).counts,
  bytes: async () => (await import('./bytes.ts')).bytes,
  'compare-speed': async () => (await import('./compare-speed.ts')).compareSpeed,
  negative: async () => (await import('./negative.ts')).negative,
  'injected-counts': async () => (await import('./injected-counts.ts')).injectedCounts,
  'injected-delay': async () => (await import('./injected-timings.ts')).injectedDelay,
  'injected-cpu': async () => (await import('./injected-timings.ts')).injectedCpu,
  'live-aa': async () => (await import('./live-aa.ts')).liveAa,
  faults: async () => (await import('./faults.ts')).faults,
  ...clusterParts,
  'cluster-kills': async () => (await import('./cluster-kills.ts')).clusterKills,
  'simulation-again': async () => (await import('./simulation-again.ts')).simulationAgain,
  simulation: async () => (await import('./simulation.ts')).simulation,
  'simulation-saturation': async () => (await import('./simulation-saturation.ts')).simulationSaturation,
  'simulation-clusters': async () => (await import('./simulation-clusters.ts')).simulationClusters,
  'simulation-storms': async () => (await import('./simulation-storms.ts')).simulationStorms,
};

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    quick: { type: 'boolean', default: false },
    seed: { type: 'string' },
    cases: { type: 'string' },
    'predict-again': { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});
const unknown = values.only.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0) {
  console.error(
    `There is no part called ${unknown.join(', ')}; there are: ${Object.keys(parts).join(', ')}.`,
  );
  process.exit(2);
}
const seed = values.seed === undefined ? undefined : Number(values.seed);
if (seed !== undefined && (!Number.isSafeInteger(seed) || seed < 1 || values.only.length !== 1)) {
  console.error(
    '--seed takes the number of a case, and --only the one part that it is of: npm run validate -- ' +
      '--only faults --seed 17',
  );
  process.exit(2);
}
const cases = values.cases === undefined ? undefined : Number(values.cases);
if (cases !== undefined && (!Number.isSafeInteger(cases) || cases < 1 || seed !== undefined)) {
  console.error(
    '--cases takes how many cases to run, and no --seed beside it: npm run validate -- --only ' +
      'cluster-broker --cases 2',
  );
  process.exit(2);
}
const again = values['predict-again'];
if (again && (values.only.length === 0 || values.quick || seed !== undefined || cases !== undefined)) {
  console.error(
    '--predict-again takes --only with each part whose predictions are to be made again, and none of ' +
      '--quick, --seed and --cases: npm run validate -- --only simulation --predict-again',
  );
  process.exit(2);
}
// What a part started and mounted goes with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
// Read before the first part changes files of the repository.
const { cpu, cores, memoryBytes, kernel, node, commit } = readEnvironment();
const [folder, page] =
  values.quick || seed !== undefined || cases !== undefined
    ? ['results/validation', 'results/validation/validation.md']
    : ['docs/results/validation', 'docs/validation.md'];
const bad = await runParts({
  parts,
  folder,
  page,
  quick: values.quick,
  ...(seed !== undefined && { seed }),
  ...(cases !== undefined && { cases }),
  again,
  ...(values.profile !== undefined && { profile: values.profile }),
  names: values.only.length > 0 ? values.only : Object.keys(parts),
  machine:
    `${cpu}, ${cores} cores, ${formatBytes(memoryBytes)}, Linux ${kernel}, Node ` +
    `${node}${commit === null ? '' : `, commit ${commit}`}`,
  commit: commit ?? 'unknown',
  log: (text) => console.log(text),
});
console.log(`\nWritten: ${page}${bad.length === 0 ? '' : `. Not all is well in: ${bad.join(', ')}`}`);
process.exitCode = bad.length === 0 ? 0 : 1;
