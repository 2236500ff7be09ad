// npm run validate: is the instrument right? Runs the parts, keeps the figures of each in results/validation/, and
// writes docs/validation.md from all that are kept, so that it can be done in pieces: --only NAME runs one part.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { formatBytes } from '../../core/units.ts';
import { readEnvironment } from '../../harness/environment.ts';
import type { Kept, Part } from './part.ts';

const parts: Readonly<Record<string, () => Promise<Part>>> = {
  synthetic: async () => (await import('./synthetic.ts')).synthetic,
  'known-delay': async () => (await import('./known-delay.ts')).knownDelay,
  counts: async () => (await import('./counts.ts')).counts,
  bytes: async () => (await import('./bytes.ts')).bytes,
  negative: async () => (await import('./negative.ts')).negative,
  injections: async () => (await import('./live.ts')).injections,
  'live-aa': async () => (await import('./live.ts')).liveAa,
};
const folder = 'results/validation';
const page = 'docs/validation.md';

const { values } = parseArgs({ options: { only: { type: 'string', multiple: true, default: [] }, quick: { type: 'boolean', default: false } } });
const unknown = values.only.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0) {
  console.error(`There is no part called ${unknown.join(', ')}; there are: ${Object.keys(parts).join(', ')}.`);
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
for (const name of values.only.length > 0 ? values.only : Object.keys(parts)) {
  const { title, run } = await parts[name]!();
  console.log(`\n## ${name}: ${title}`);
  const from = performance.now();
  const outcome = await run(values.quick);
  const kept: Kept = { title, ranAt: new Date().toISOString(), quick: values.quick, seconds: Math.round((performance.now() - from) / 1000), environment: readEnvironment(), ...outcome };
  writeFileSync(`${folder}/${name}.json`, `${JSON.stringify(kept, null, 1)}\n`);
  for (const { text, held } of kept.claims) console.log(`${held ? 'held' : 'FAILED'}: ${text}`);
  if (kept.claims.some(({ held }) => !held)) process.exitCode = 1;
  writeFileSync(page, document());
}
console.log(`\nWritten: ${page}`);

function document(): string {
  const sections = Object.keys(parts).map((name) => section(name, read(name)));
  return `# Validation

Written by \`npm run validate\`; every figure below was measured by it. \`-- --only NAME\` repeats one part, \`-- --quick\` takes a few minutes in place of about twenty. How a verdict is reached: [comparison.md](comparison.md).

${sections.join('\n\n')}
`;
}

function section(name: string, kept: Kept | undefined): string {
  if (!kept) return `## ${name}\nNot run yet: \`npm run validate -- --only ${name}\`.`;
  const { cpu, cores, memoryBytes, kernel, node, commit } = kept.environment;
  return `## ${kept.title}
${kept.claims.map(({ text, held }) => `- ${held ? 'Held' : '**Failed**'}: ${text}`).join('\n')}

${kept.markdown}

\`--only ${name}\`${kept.quick ? ', the quick form' : ''}: ${kept.ranAt.slice(0, 16).replace('T', ' ')} UTC, ${kept.seconds} s on ${cpu}, ${cores} cores, ${formatBytes(memoryBytes)}, Linux ${kernel}, Node ${node}${commit === null ? '' : `, commit ${commit}`}.`;
}

function read(name: string): Kept | undefined {
  try {
    return JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8')) as Kept; // written above
  } catch {
    return undefined;
  }
}
