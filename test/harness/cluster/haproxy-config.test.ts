// The configuration that HAProxy is given: HAProxy itself is the judge of it, and the page about it shows
// each line as it is.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, test, type TestContext } from 'vitest';
import {
  haproxyConfig,
  haproxySections,
  longestMs,
  type HaproxySetup,
} from '../../../harness/cluster/haproxy/config.ts';
import { checkNames } from '../../../core/scenario/servers.ts';
import { notCompared } from '../../../harness/trial/cross-check.ts';
import { skipWhen } from '../../skip.ts';
import { absent } from './behind-haproxy.ts';

const example: HaproxySetup = {
  host: '127.0.0.1',
  port: 8080,
  servers: [
    { host: '127.0.0.1', port: 9001 },
    { host: '127.0.0.1', port: 9002 },
  ],
  mode: 'http',
  sticky: true,
  idleMs: 3_600_000,
  maxconn: 500,
  slowstartMs: 10_000,
  check: { kind: 'tcp', everyMs: 500, fall: 2, rise: 1 },
  connections: 12_000,
  stateFile: '/tmp/pushbench-haproxy-x/servers.state',
};

/** What HAProxy says to a configuration; '' where it is right. */
function judged(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-haproxy-test-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const state = join(folder, 'state');
  writeFileSync(state, '1\n');
  writeFileSync(join(folder, 'haproxy.cfg'), text.replace(example.stateFile, state));
  const { status, stdout, stderr } = spawnSync('haproxy', ['-c', '-f', join(folder, 'haproxy.cfg')], {
    encoding: 'utf8',
  });
  const said = `${stdout}${stderr}`;
  return status === 0 && !/WARNING|ALERT/.test(said) ? '' : said || `status ${status}`;
}

const address = fc.record({
  host: fc.constantFrom('127.0.0.1', '127.0.0.9', '::1'),
  port: fc.integer({ min: 1024, max: 65_535 }),
  checkPort: fc.option(fc.integer({ min: 1024, max: 65_535 }), { nil: undefined }),
});
const check = fc.record({
  kind: fc.constantFrom(...checkNames),
  everyMs: fc.integer({ min: 1, max: 10_000 }),
  fall: fc.integer({ min: 1, max: 100 }),
  rise: fc.integer({ min: 1, max: 100 }),
});
const ms = fc.oneof(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: longestMs }));
const setup: fc.Arbitrary<HaproxySetup> = fc
  .record({
    host: fc.constantFrom('127.0.0.1', '::1'),
    port: fc.integer({ min: 1024, max: 65_535 }),
    servers: fc.array(address, { minLength: 1, maxLength: 20 }),
    mode: fc.constantFrom('http' as const, 'tcp' as const),
    sticky: fc.boolean(),
    idleMs: ms,
    maxconn: fc.option(fc.integer({ min: 1, max: 1_000_000 }), { nil: undefined }),
    slowstartMs: fc.option(ms, { nil: undefined }),
    check,
    connections: fc.integer({ min: 1, max: 1000 }),
    stateFile: fc.constant(example.stateFile),
  })
  .map((one) => ({ ...one, sticky: one.sticky && one.mode === 'http' }));

describe('the configuration', () => {
  test('HAProxy takes every one without a warning', (t) => {
    skipWhen(t, absent);
    fc.assert(
      fc.property(setup, (one) => {
        assert.equal(judged(t, haproxyConfig(one)), '', haproxyConfig(one));
      }),
      { numRuns: 40 },
    );
  });

  test('and would not take one with a word that it does not know', (t) => {
    skipWhen(t, absent);
    assert.match(judged(t, haproxyConfig(example).replace('leastconn', 'mostconn')), /ALERT/);
  });

  test('docs/cluster/in-front.md shows it whole, and every line with its reason', () => {
    const page = readFileSync('docs/cluster/in-front.md', 'utf8');
    assert.ok(page.includes(`\`\`\`\n${haproxyConfig(example)}\`\`\``), haproxyConfig(example));
    const kinds = (['http', 'tcp'] as const).flatMap((mode) =>
      checkNames.map((kind) => ({ mode, sticky: mode === 'http', check: { ...example.check, kind } })),
    );
    for (const { lines } of kinds.flatMap((one) => haproxySections({ ...example, ...one })))
      for (const { text, why } of lines)
        if (!text.startsWith('server ')) assert.ok(page.includes(`| \`${text}\` | ${why} |`), text);
  });

  test.for<[why: string, wrong: Partial<HaproxySetup>, message: RegExp]>([
    ['no server', { servers: [] }, /needs a server/],
    ['a cookie in bytes that are passed on', { mode: 'tcp' }, /cookie.*without sticky sessions/],
    ['a time of no length', { idleMs: 0 }, /idleMs is 0/],
    ['a time beyond 32 bits', { slowstartMs: 2 ** 31 }, /slowstartMs is 2147483648/],
    ['half a connection', { maxconn: 1.5 }, /maxconn is 1.5/],
    ['a file with a line of its own', { stateFile: '/tmp/x\n  stats socket /tmp/y' }, /is not a name/],
    [
      'an address with more in it',
      { servers: [{ host: '127.0.0.1 disabled', port: 1 }] },
      /is not an address/,
    ],
    ['no port', { port: 0 }, /127.0.0.1:0 is not an address/],
    ['no check', { check: { ...example.check, fall: 0 } }, /fall is 0/],
  ])('%s is refused', ([, wrong, message]) => {
    assert.throws(() => haproxyConfig({ ...example, ...wrong }), { name: 'RangeError', message });
  });
});

test('the page lists what is not compared behind it', () => {
  const page = readFileSync('docs/cluster/in-front.md', 'utf8');
  for (const [what, why] of notCompared) assert.ok(page.includes(`| ${what} | ${why} |`), what);
});
