// Refuses in words what workers cannot do in a scenario, and options that say nothing.

import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { describe, test } from 'vitest';
import { allowedHost } from '../../../core/http/access.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { checkedListen, refuseForeign, refuseUnfit } from '../../../harness/workers/fit.ts';
import { call, temporaryFolder } from '../../cli/tools.ts';
import { yamlOf } from './crew.ts';

const scenarioOf = (more = '', variants = '[sse]') =>
  parseScenario(yamlOf({ more }).replace('[sse]', variants), {
    file: 'fit.yaml',
    registry: patterns,
    overrides: [],
  }).scenario;

describe('what cannot be had', () => {
  const cases = [
    ['faults: [{ at: 1s, freeze: load, for: 1s }]', '[sse]', undefined, /"freeze: load" stops processes/],
    ['', '[{ sse: { over: h2 } }]', '10.0.0.5', /TLS uses a certificate for loopback/],
    ['', '[webhook]', '10.0.0.5', /webhooks are sent to receivers on this machine/],
    ['network: { latency: 20ms }', '[sse]', '10.0.0.5', /the network that pushbench makes worse/],
  ] as const;
  for (const [more, variants, listen, says] of cases)
    test(String(says), () => {
      assert.throws(() => refuseUnfit(scenarioOf(more, variants), patterns, listen), says);
    });

  test('on loopback all but freezing can be had', () => {
    for (const [more, variants, , says] of cases.slice(1))
      assert.doesNotThrow(() => refuseUnfit(scenarioOf(more, variants), patterns, undefined), String(says));
  });
});

test('servers listen on one address, and not on all, however it is written', () => {
  assert.equal(checkedListen('10.0.0.5'), '10.0.0.5');
  for (const text of ['2001:DB8::5', '2001:db8:0:0:0:0:0:5', '2001:0db8::0005']) {
    assert.equal(checkedListen(text), '2001:db8::5', text);
    assert.equal(allowedHost(text), checkedListen(text), 'as --allow has it');
  }
  assert.equal(checkedListen('::ffff:10.0.0.5'), '10.0.0.5');
  const none = ['bench.example', '', '10.5', '[2001:db8::5]', 'fe80::1%eth0'];
  for (const text of ['0.0.0.0', '::', '::0', '0:0:0:0:0:0:0:0', '::ffff:0.0.0.0', ...none])
    assert.throws(() => checkedListen(text), /give the one address of this machine/, text);
});

describe('servers listen on an address of this machine', () => {
  test('those of its interfaces will do', async () => {
    const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    // Before others use it, IPv6 looks whether an address is free: then it cannot be listened on yet.
    for (const { address, family } of own) if (family === 'IPv4') await refuseForeign(address);
  });

  test('another is refused, with those that there are', async () => {
    await assert.rejects(
      refuseForeign('192.0.2.1'),
      /^UserError: --listen 192\.0\.2\.1: no server can listen there \(.*EADDRNOTAVAIL.*\)\. Give the /,
    );
  });
});

describe('the command line refuses', () => {
  const cases: [args: string[], says: RegExp][] = [
    [['run', '--token', 'a long enough token'], /--token goes with --workers/],
    [['run', '--listen', '10.0.0.5'], /--listen goes with --workers/],
    [['run', '--workers', 'redis://127.0.0.1:1', '--worker-count', '0'], /--worker-count 0: give a whole/],
    [['run', '--workers', 'redis://127.0.0.1:1'], /need one token: give --token to both/],
    [['run', '--workers', 'redis://127.0.0.1:1', '--token', 'short'], /has 5 characters/],
    [
      ['run', '--workers', 'redis://127.0.0.1:1', '--token', 'a long enough token', '--listen', '192.0.2.1'],
      /--listen 192\.0\.2\.1: no server can listen there/,
    ],
    [['run', '--workers', 'http://127.0.0.1', '--token', 'a long enough token'], /names no Redis/],
    [['worker', '--join', 'redis://127.0.0.1:1', '--token', 'x', '--allow', 'http://a'], /is no host/],
  ];
  for (const [args, says] of cases)
    test(args.join(' '), async (t) => {
      const { code, stderr } = await call(args, temporaryFolder(t));
      assert.match(stderr, says);
      assert.equal(code, 2);
    });
});
