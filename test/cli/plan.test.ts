// `pushbench plan` as a user meets it: tables that fit, JSON that is as its schema says, and what is missing.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test, type TestContext } from 'vitest';
import { capacityPlanSchema } from '../../core/capacity/capacity-plan.ts';
import { testProfile } from '../simulation/profile.ts';
import { call, temporaryFolder } from './tools.ts';

const question = '--subscribers 100,000 --events 1/s --topics shared --latency-p99 1s'.split(' ');
const prices = resolve('prices/example.yaml');
/** What is read and written, in the folder of the test. */
const files = '--profile ./profile.json --markdown plan.md --html plan.html --prices'
  .split(' ')
  .concat(prices);

/** A folder with a profile of two patterns, which is enough and sooner computed. */
function folderWithProfile(t: TestContext): string {
  const folder = temporaryFolder(t);
  const { polling, sse } = testProfile.variants;
  writeFileSync(join(folder, 'profile.json'), JSON.stringify({ ...testProfile, variants: { polling, sse } }));
  return folder;
}

test('servers, what breaks first, what a month takes and costs, and what that rests on', async (t) => {
  const folder = folderWithProfile(t);
  const args = ['plan', ...question, ...files];
  const { code, stdout, stderr } = await call(args, folder);
  assert.equal(code, 0, stderr);
  for (const line of stdout.split('\n')) assert.ok(line.length <= 100, line);
  const text = stdout.replace(/\s+/g, ' ');
  for (const pattern of [
    /^sse \(\d+\) takes the fewest servers|^Fewest servers: .*sse/,
    /polling every=5s +none/,
    /polling every=800ms +\d+ \(\d+\)/,
    /breaks first/,
    /a client that asks every 5s makes 17,280 requests a day/,
    /The bill of a month of 30 days, in USD/,
    /Lowest bill of a month, in USD: /,
    /Round example prices, of no provider/,
    /from the profile "test machine"/,
    /Defaults used: --payload 256B, --interval 5s,/,
    /webhook: the profile test machine has no point of this pattern/,
    /broker between them/,
    /± is how far off/,
  ])
    assert.match(text, pattern);
  assert.match(stderr, /Page: plan\.html/);
  assert.match(readFileSync(join(folder, 'plan.html'), 'utf8'), /^<!doctype html>.*The bill of a month/s);
  const markdown = readFileSync(join(folder, 'plan.md'), 'utf8');
  assert.match(markdown, /^# Capacity\n/);
  assert.match(markdown, /\| sse \| /);
  assert.match(
    markdown,
    /Again: `.*plan --subscribers 100,000 --events 1\/s --topics shared --latency-p99 1s/,
  );
});

test('as JSON it has a version and a schema, and no bill without prices', async (t) => {
  const folder = folderWithProfile(t);
  const { code, stdout, stderr } = await call(
    ['plan', ...question, '--profile', './profile.json', '--json'],
    folder,
  );
  assert.equal(code, 0, stderr);
  const plan = capacityPlanSchema.parse(JSON.parse(stdout));
  assert.deepEqual([plan.format, plan.version, plan.prices], ['pushbench-plan', 2, null]);
  assert.deepEqual(
    plan.rows.map(({ label, bill }) => [label, bill]),
    [
      ['polling every=5s', null],
      ['polling every=800ms', null],
      ['sse', null],
    ],
  );
});

test('where one subscriber is too much for a server there is no latency, and the rest is told', async (t) => {
  const folder = temporaryFolder(t);
  const { sse } = testProfile.variants;
  // An event costs so much that no core does 100,000 of them in a second.
  const points = sse!.points.map((point) => ({ ...point, serverCpuShare: 50 * point.serverCpuShare }));
  const profile = { ...testProfile, variants: { sse: { ...sse!, points } } };
  writeFileSync(join(folder, 'profile.json'), JSON.stringify(profile));
  const asked = '--subscribers 10 --events 100000/s --topics shared --latency-p99 1s'.split(' ');
  const args = ['plan', ...asked, ...files];
  const json = await call([...args, '--json'], folder);
  assert.equal(json.code, 0, json.stderr);
  const [row] = capacityPlanSchema.parse(JSON.parse(json.stdout)).rows;
  assert.deepEqual([row!.servers, row!.bill], [null, null]);
  assert.deepEqual([row!.server.latencyP50Us, row!.server.latencyP99Us], [null, null]);
  assert.ok(row!.server.cpuShare.value > 1);
  assert.equal(row!.why, 'a single subscriber takes more CPU than a server has');
  assert.match(readFileSync(join(folder, 'plan.md'), 'utf8'), /\| sse \| none \|.*\| — \|/);
  const { code, stdout, stderr } = await call(args, folder);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /—/);
  assert.match(stdout, /^sse +0 +0 .* CPU$/m);
  assert.match(stdout, /^sse: a single subscriber takes more CPU than a server has\.$/m);
});

describe('mistakes are told all at once, each with what to write', () => {
  const rows: [string[], RegExp][] = [
    [
      [],
      /--subscribers is missing: .*\n--events is .*\n--topics is .*\n--latency-p99 is missing: .*\nAn example: plan /,
    ],
    [[...question, '--events', '1'], /^--events 1: .* with the unit, such as --events 1\/s/],
    [[...question, '--events', '0/s'], /^--events 0\/s: .*, from 0\.01\/d to 100,000\/s\.$/m],
    [[...question, '--events', '0.009/d'], /^--events 0\.009\/d: .*, from 0\.01\/d/],
    [[...question, '--topics', 'privat'], /did you mean "private"/],
    [[...question, '--descriptors', 'many'], /^--descriptors many: /],
    [[...question, '--payload', '9MiB'], /^--payload 9MiB: .*to 8MiB/],
    [
      [...question, '--prices', 'none.yaml'],
      /Cannot read the price file none\.yaml: .*prices\/example\.yaml/,
    ],
    [
      [...question, '--prices', prices, '--server-memory', '9GB'],
      /^--server-memory 9GB: .*machine in the price file/,
    ],
    [[...question, '--html', 'none/plan.html'], /none\/plan\.html/],
    [[...question, '--profile', 'none'], /There is no profile called "none"/],
  ];
  for (const [args, message] of rows)
    test(args.slice(8).join(' ') || 'nothing', async (t) => {
      const { code, stdout, stderr } = await call(['plan', ...args], temporaryFolder(t));
      assert.equal(code, 2, stdout);
      assert.match(stderr, message);
    });
});
