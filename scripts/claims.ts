// Runs every scenario that a claim names, one after another, and makes the page of claims again:
// `npm run claims`, or `npm run claims -- dashboard-5s rarely` for some. A scenario that fails
// costs its own figures and nothing else.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimsCommand, readClaims } from '../cli/claims.ts';

const figuresFile = 'docs/results/claims.json';
const pageFile = 'docs/claims.md';
/** A scenario that hangs must not keep the others waiting. */
const longestRunMs = 8 * 60_000;

const all = [
  ...new Set(readClaims().claims.flatMap((claim) => ('scenario' in claim ? [claim.scenario] : []))),
];
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`No claim is tested by ${unknown.join(', ')}; there are ${all.join(', ')}.`);
  process.exit(2);
}
const names = asked.length > 0 ? asked : all;
const folder = mkdtempSync(join(tmpdir(), 'pushbench-claims-'));
const startedMs = Date.now();
const results: string[] = [];
const problems: string[] = [];

for (const [i, name] of names.entries()) {
  console.log(`[${i + 1}/${names.length}] ${name} (${Math.round((Date.now() - startedMs) / 1000)} s so far)`);
  const own = join(folder, name);
  const code = await runScenario(name, own);
  const [run] = existsSync(own) ? readdirSync(own) : [];
  const result = run && join(own, run, 'result.json');
  if (result && existsSync(result)) results.push(result);
  if (code !== 0) problems.push(`${name}: exit code ${code}${result ? '' : ', no result'}`);
}

mkdirSync('docs/results', { recursive: true });
await claimsCommand(results, { figures: figuresFile, out: pageFile, write: true });
console.log(
  `${results.length} of ${names.length} scenarios measured in ` +
    `${Math.round((Date.now() - startedMs) / 1000)} s; ${pageFile} and ` +
    `${figuresFile} written. Results and reports: ${folder}`,
);
for (const problem of problems) console.log(`  ${problem}`);
process.exitCode = results.length === names.length ? 0 : 1;

/** @returns the exit code; -1 when it was ended by force */
async function runScenario(name: string, results: string): Promise<number> {
  const child = spawn(process.execPath, ['cli/main.ts', 'run', name, '--results', results], {
    // The lines of progress go on; the table is in the report.
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, npm_lifecycle_event: 'start' },
    timeout: longestRunMs,
    killSignal: 'SIGINT',
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  child.on('close', (code) => resolve(code ?? -1));
  return promise;
}
