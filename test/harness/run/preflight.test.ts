// Tests that preflight refuses what cannot work, with the exact shortfall and the command that fixes it.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import type { Machine } from '../../../harness/run/machine.ts';
import { sharedCores } from '../../../harness/run/cluster-room.ts';
import { prepare } from '../../../harness/run/run.ts';
import { loadProcessCount, portsOfLoad, preflight } from '../../../harness/run/preflight.ts';
import { socketsHeld } from '../../../harness/run/sockets.ts';

const roomy: Machine = { cores: 8, freeBytes: 16e9, descriptorLimit: 1_000_000, ephemeralPorts: 28_232 };

function scenarioOf(subscribers: number, more = 'variants: [sse]') {
  const variants = more.includes('variants:') ? '' : 'variants: [sse]\n';
  return parseScenario(
    `question: Does it fit?\nsubscribers: ${subscribers}\ntopics: { news: { publish: 1/s } }\n` +
      variants +
      more,
    {
      file: 'fit.yaml',
      registry: patterns,
      overrides: [],
    },
  ).scenario;
}

function refusal(subscribers: number, machine: Machine, more = ''): string {
  try {
    preflight(scenarioOf(subscribers, more), patterns, machine);
  } catch (error) {
    assert.ok(error instanceof UserError);
    assert.equal(error.exitCode, 3);
    return error.message;
  }
  return '';
}

test('what fits is let through', () => {
  assert.equal(refusal(10_000, roomy), '');
  assert.equal(
    refusal(10_000, { ...roomy, descriptorLimit: undefined, ephemeralPorts: undefined }),
    '',
    'what cannot be read is not checked',
  );
});

test('too few descriptors: the shortfall and the ulimit that mends it', () => {
  // 1,000 subscribers and 64 of its own against 1,024: 40 short.
  assert.match(
    refusal(1000, { ...roomy, descriptorLimit: 1024 }),
    /needs 1,064 file descriptors .* limit is 1,024: short of 40\. Raise it with "ulimit -n 1064"/,
  );
  assert.equal(refusal(960, { ...roomy, descriptorLimit: 1024 }), '');
});

test('where a process may not be given more, the way out is more servers and never the limit', () => {
  const machine = { ...roomy, descriptorLimit: 20_000, mayHold: (count: number) => count <= 20_000 };
  const one = refusal(100_000, machine);
  assert.match(
    one,
    /the server process needs 100,064 file descriptors .*: short of 80,064\. This system lets no process have so many: use fewer subscribers, or 7 servers \(servers\.count\) with a broker\./,
  );
  assert.doesNotMatch(one, /ulimit/);
  const cluster = (count: number) => `servers: { count: ${count}, broker: nats }`;
  assert.match(refusal(100_000, machine, cluster(3)), /or 7 servers \(servers\.count\)\.$/);
  assert.equal(refusal(100_000, machine, cluster(7)), '');
  assert.match(
    refusal(100_000, machine, 'servers: { count: 3, broker: nats, in-front: haproxy }'),
    /HAProxy needs 200,064 file .* use fewer subscribers, or reach the servers by a list \(servers\.in-front\)/,
  );
});

test('in a rolling deploy the last server holds more than twice its part, and that has to fit', () => {
  const deploy =
    'faults: [{ at: 1s, deploy: rolling, window: 100ms, parallel: 2 }]\nphases: { measure: 20s }';
  const refused = (count: number, limit: number) =>
    refusal(
      100_000,
      { ...roomy, descriptorLimit: limit, mayHold: () => false },
      `servers: { count: ${count}, broker: nats }\n${deploy}`,
    );
  // 6,250 each. Of seven pairs before the last each leaves it two fourteenths: 15,916, and a quarter more.
  const needed = Math.ceil(6250 * (8 / 7) ** 7 * 1.25) + 64;
  assert.equal(refused(16, needed), '');
  assert.match(
    refused(16, needed - 1),
    new RegExp(
      `each of 16 server processes needs ${needed.toLocaleString('en-US')} file .* ` +
        'including those of servers that end ',
    ),
  );
  assert.match(refused(8, 20_000), /each of 8 .* or 16 servers \(servers\.count\)/);
});

test('over HTTP/2 a hundred subscribers share a socket', () => {
  const limited = { ...roomy, descriptorLimit: 564 };
  assert.equal(refusal(50_000, limited, 'variants: [sse: { over: h2 }]'), '');
  assert.match(refusal(50_001, limited, 'variants: [sse: { over: h2 }]'), /server process needs 565 file/);
  assert.match(refusal(50_000, limited, 'variants: [sse: { over: h2 }, sse]'), /needs 50,064 file/);
  const over = (variants: string) => loadProcessCount(scenarioOf(50_000, variants), patterns, limited);
  assert.deepEqual([over('variants: [sse: { over: h2 }]'), over('variants: [sse]')], [6, 100]);
  // Those who share a connection go to the same server of the list.
  assert.equal(
    socketsHeld(scenarioOf(1000, 'variants: [sse: { over: h2c }]\nservers: { count: 4 }'), patterns),
    12,
  );
});

test('webhooks hold no descriptor for a subscriber', () => {
  assert.equal(
    refusal(100_000, { ...roomy, descriptorLimit: 1024 }, 'variants: [webhook]\nloadProcesses: 1'),
    '',
  );
});

test('too few ports for one address', () => {
  assert.match(
    refusal(10_000, { ...roomy, ephemeralPorts: 9000 }),
    /10,000 connections from one address need as many ephemeral ports and the range holds 9,000.*ip_local_port_range/,
  );
  assert.equal(refusal(20_000, { ...roomy, ephemeralPorts: 9000 }), '', 'they come from several addresses');
  assert.match(refusal(20_000, { ...roomy, ephemeralPorts: 2000 }), /2,500 connections from one address/);
});

test('too little memory: how many subscribers would fit', () => {
  const message = refusal(100_000, { ...roomy, freeBytes: 1e9 });
  assert.match(message, /of memory are needed and 954 MiB are free: use at most [\d,]+ subscribers/);
  const fits = Number(/at most ([\d,]+) subscribers/.exec(message)![1]!.replaceAll(',', ''));
  assert.equal(refusal(fits, { ...roomy, freeBytes: 1e9 }), '');
});

test('under a limit of memory the refusal names it', () => {
  assert.match(
    refusal(100_000, { ...roomy, freeBytes: 1e9, memoryLimitBytes: 2e9 }),
    /954 MiB are free under this container's limit of 1\.86 GiB \(docker run --memory, .*\): use at most/,
  );
  assert.equal(
    refusal(100_000, { ...roomy, freeBytes: undefined }),
    '',
    'what cannot be read is not checked',
  );
});

test('without a second loopback address no more subscribers than one address carries', () => {
  for (const machine of [{ loopback: '::1' }, { hasProc: false }] as const) {
    assert.equal(refusal(25_000, { ...roomy, ...machine }), '');
    assert.match(refusal(25_001, { ...roomy, ...machine }), /at most 25,000 subscribers, or a Linux machine/);
    assert.equal(
      refusal(25_001, { ...roomy, ...machine }, 'variants: [webhook]'),
      '',
      'they hold no connection',
    );
  }
  assert.match(refusal(10, { ...roomy, loopback: 'none' }), /no loopback interface is up.*ip link set lo up/);
});

test('the ports and addresses of this machine do not count where workers connect from others', () => {
  const scenario = scenarioOf(40_000);
  for (const short of [{ loopback: '::1' }, { hasProc: false }, { ephemeralPorts: 100 }] as const) {
    const machine = { ...roomy, ...short };
    assert.doesNotThrow(() => preflight(scenario, patterns, machine, { away: true }));
    assert.throws(
      () => preflight(scenario, patterns, machine, { away: false }),
      /connections from one address|at most 25,000/,
    );
  }
  assert.throws(
    () => preflight(scenario, patterns, { ...roomy, loopback: 'none' }, { away: true }),
    /no loopback interface is up/,
    'the publisher needs it',
  );
});

test('a machine of workers needs a port for each connection to the server that has the most of them', () => {
  const ports = (subscribers: number, share: number, more = '') => {
    const scenario = scenarioOf(subscribers, more);
    return portsOfLoad(socketsHeld(scenario, patterns), scenario, share);
  };
  assert.equal(ports(30_000, 1), 30_000);
  assert.equal(ports(40_000, 1 / 4), 10_000);
  assert.equal(ports(50_000, 1, 'variants: [sse: { over: h2 }]'), 500);
  const four = 'servers: { count: 4, broker: nats }';
  assert.equal(ports(40_000, 1, four), 12_500, 'a server may have a quarter more than its part');
});

test('everything that is short is said at once', () => {
  assert.equal(
    refusal(100_000, { cores: 2, freeBytes: 1e8, descriptorLimit: 1024, ephemeralPorts: 100 }).split('\n')
      .length,
    4,
  );
});

test('load processes: as many as descriptors and cores ask for', () => {
  const rows: [subscribers: number, machine: Partial<Machine>, processes: number, reads: string][] = [
    [100, {}, 1, 'few subscribers need one'],
    [20_000, {}, 4, 'one for each 5,000'],
    [100_000, {}, 6, 'but not more than the cores that server and publisher leave over'],
    [100_000, { cores: 2 }, 1, 'at least one'],
    [100_000, { quotaCores: 4.5 }, 2, 'a quota counts as whole cores'],
    [100_000, { quotaCores: 0.3 }, 1, 'however little it is'],
    [10_000, { cores: 2, descriptorLimit: 1064 }, 10, 'descriptors may ask for more: 1,000 each'],
  ];
  for (const [subscribers, machine, processes, reads] of rows)
    assert.equal(
      loadProcessCount(scenarioOf(subscribers), patterns, { ...roomy, ...machine }),
      processes,
      reads,
    );
  assert.equal(
    loadProcessCount(scenarioOf(100, 'loadProcesses: 3'), patterns, roomy),
    3,
    'the scenario has the last word',
  );
});

test('a network between subscribers and server holds two descriptors for each', () => {
  const machine = { ...roomy, descriptorLimit: 20_000 };
  assert.equal(refusal(9_968, machine, 'variants: [sse]\nnetwork: { latency: 1ms }'), '');
  assert.match(
    refusal(9_969, machine, 'variants: [sse]\nnetwork: { latency: 1ms }'),
    /the network needs 20,002 file descriptors \(two per subscriber and 64 of its own\)/,
  );
  assert.equal(refusal(9_969, machine), '', 'there is none');
});

test('of several servers each holds its part, with room, and what those that are gone held', () => {
  const three = 'variants: [sse]\nservers: { count: 3, broker: nats }';
  // 300 each, and a quarter more.
  const tight = { ...roomy, descriptorLimit: 375 + 64 };
  const withLoads = `${three}\nloadProcesses: 10`;
  assert.equal(refusal(900, tight, withLoads), '');
  assert.match(
    refusal(900, { ...tight, descriptorLimit: 438 }, withLoads),
    /each of 3 server processes needs 439 file descriptors .* short of 1\. Raise it with "ulimit -n 439"/,
  );
  assert.match(
    refusal(900, tight, `${withLoads}\nfaults: [{ at: 1s, kill: 2 }, { at: 2s, restart: 2 }]`),
    /each of 3 server processes needs 627 file/,
    'two of them hold 450, and a quarter more',
  );
});

test('servers, broker and load side that are more than the cores are told to wait for one another', () => {
  const { servers, faults } = scenarioOf(
    10,
    'variants: [sse]\nservers: { count: 3, broker: nats }\nfaults: [{ at: 1s, start: 4 }]',
  );
  assert.deepEqual(sharedCores({ servers, faults }, 1, 7), []);
  const [note, ...more] = sharedCores({ servers, faults }, 1, 6);
  assert.equal(note!.code, 'shared-cores');
  assert.match(
    note!.message,
    /^4 servers, the broker, the load process and the publisher share 6 cores and wait .* Latencies, times/,
  );
  assert.deepEqual(more, []);
  assert.deepEqual(sharedCores(scenarioOf(10), 1, 2), [], 'one server is as it ever was');
});

test('each trial of several servers says so in its result, and one of a server by itself does not', () => {
  const text =
    '{ question: Who waits?, subscribers: 2, topics: { news: { publish: 1/s } }, variants: [sse], ' +
    'matrix: { servers.count: [1, 2, 3] } }';
  const { scenario, source } = parseScenario(text, { file: 'wait.yaml', registry: patterns, overrides: [] });
  const { steps } = prepare(scenario, {
    registry: patterns,
    folder: '.',
    source,
    command: 'test',
    observer: { trialStarted() {}, progress() {}, trialEnded() {} },
    signal: new AbortController().signal,
    machine: { ...roomy, cores: 2 },
  });
  const shared = steps.map(({ plan }) => plan.notes.filter(({ code }) => code === 'shared-cores'));
  assert.deepEqual(
    shared.map((notes) => notes.map(({ message }) => message.split(',')[0])),
    [[], ['2 servers'], ['3 servers']],
  );
});
