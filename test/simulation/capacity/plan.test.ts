// The answer to a capacity question: its arithmetic by hand, its limits, and that it only moves one way.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { formatNumber } from '../../../core/base/units.ts';
import { capacityContext } from '../../../cli/capacity.ts';
import type { PlanRow } from '../../../core/capacity/capacity-plan.ts';
import { parsePrices } from '../../../core/capacity/prices.ts';
import { mostOnOneServer, type Question } from '../../../core/capacity/question.ts';
import { planCapacity } from '../../../simulation/capacity/plan-capacity.ts';
import { modelVersion, type Model, type ModelInput, type ModelRegistry } from '../../../simulation/model.ts';
import { models } from '../../../simulation/models/registry.ts';
import { profileOf, steadyMachine } from '../fixture.ts';

const asked: Question = {
  subscribers: 1_000_000,
  eventsPerS: 1,
  topics: 'shared',
  payloadBytes: 512,
  latencyP99Us: 10e6,
  pollEveryMs: 5000,
  descriptors: 65_535,
  memoryBytes: 4e9,
};
/** An event takes 0.4 ms and 8 µs a receiver, and 9 µs a receiver of CPU. */
const profile = profileOf(steadyMachine);
const few: ModelRegistry = { polling: models['polling']!, sse: models['sse']! };
const streams: ModelRegistry = { sse: models['sse']! };

function rows(question: Partial<Question> = {}, those: ModelRegistry = few): Record<string, PlanRow> {
  const planned = planCapacity(
    { ...asked, ...question },
    {
      ...capacityContext(profile),
      models: those,
      prices: undefined,
    },
  );
  return Object.fromEntries(planned.rows.map((row) => [row.label, row]));
}

const breaksOf = ({ breaks }: PlanRow) =>
  Object.fromEntries(breaks.map(({ limit, subscribers }) => [limit, subscribers]));

describe('one server and many', () => {
  const { 'polling every=5s': polls, sse: stream } = rows();
  test('a client that asks every 5 s makes 17,280 requests a day', () => {
    assert.deepEqual(polls!.requestsPerDay, { value: 17_280 * 1_000_000, from: 'arithmetic', off: 0 });
    assert.equal(stream!.requestsPerDay.value, 0);
  });
  test('messages, connection minutes and bytes of a month of 30 days', () => {
    assert.equal(stream!.messagesPerMonth.value, 1_000_000 * 2_592_000);
    assert.equal(stream!.connectionMinutesPerMonth.value, 1_000_000 * 43_200);
    // A body of 512 B and what is around it, 150 to 350 B (docs/wire.md), for each message.
    const each = stream!.bytesOutPerMonth.value / stream!.messagesPerMonth.value;
    assert.ok(each > 512 + 150 && each < 512 + 350, `${each}`);
  });
  test('descriptors and memory are computed exactly', () => {
    assert.equal(breaksOf(stream!)['descriptors'], 65_535);
    // 50 MB, and 10,000 B and 4,000 B for each.
    assert.equal(breaksOf(stream!)['memory'], 250_000);
    assert.equal(breaksOf(rows({ memoryBytes: 1.45e9 }, streams)['sse']!)['memory'], 100_000);
  });
  test('CPU of streams is where 9 µs a receiver are 80 % of a core', () => {
    const cpu = breaksOf(stream!)['cpu']!;
    assert.ok(Math.abs(cpu / ((0.8 - 0.001 - 60e-6) / 9e-6) - 1) < 0.03, `${cpu}`);
  });
  test('servers are as many as the least of the limits asks for, each within all of them', () => {
    for (const row of [polls!, stream!]) {
      const least = Math.min(...row.breaks.map(({ subscribers }) => subscribers));
      assert.equal(row.servers, Math.ceil(1_000_000 / least));
      assert.equal(row.breaks[0]!.subscribers, least);
      assert.equal(row.server.subscribers, Math.ceil(1_000_000 / row.servers!));
      assert.ok(row.server.cpuShare.value <= 0.8 && row.server.latencyP99Us!.value <= 10e6);
      assert.ok(row.server.descriptorShare <= 1);
      assert.ok(row.serversIfOff! >= row.servers!);
    }
  });
});

test('a server with topics of their own is simulated for no more events before than in what counts', () => {
  const sse = models['sse']!;
  const counts: { before: number; measured: number }[] = [];
  const watched: Model = (input) => {
    const count = { before: 0, measured: 0 };
    counts.push(count);
    function* events() {
      for (const event of input.events) {
        count[event.atUs < 0 ? 'before' : 'measured']++;
        yield event;
      }
    }
    return sse({ ...input, events: { [Symbol.iterator]: events } });
  };
  const { sse: row } = rows({ topics: 'private' }, { sse: watched });
  assert.ok(counts.length > 5);
  for (const { before, measured } of counts) assert.ok(before < 1.2 * measured, `${before}, ${measured}`);
  // An event with one receiver takes 69 us.
  const cpu = breaksOf(row!)['cpu']!;
  assert.ok(Math.abs(cpu / ((0.8 - 0.001) / 69e-6) - 1) < 0.03, `${cpu}`);
});

test('a queue counts: the latency breaks before the fan-out alone takes as long as the bound', () => {
  const breaks = breaksOf(rows({ latencyP99Us: 400_000 }, streams)['sse']!);
  // 400 µs + 8 µs a receiver alone would be 49,950.
  assert.ok(breaks['latency']! < 0.9 * 49_950, `${breaks['latency']}`);
});

test('polling that is too seldom has no answer, and beside it is one that asks as often as needed', () => {
  const all = rows({ latencyP99Us: 1e6 });
  const seldom = all['polling every=5s']!;
  assert.equal(seldom.servers, null);
  assert.match(seldom.why!, /p99 is 5\.\d+ s already, as an event waits for the next poll/);
  const often = all['polling every=800ms']!;
  assert.ok(often.servers! > 1 && often.server.latencyP99Us!.value <= 1e6);
  assert.equal(often.requestsPerDay.value, 108_000 * 1_000_000);
});

describe('it moves one way', () => {
  const serversOf = (question: Partial<Question>, label: string) =>
    rows(question, streams)[label]!.servers ?? Infinity;
  test('more subscribers never need fewer servers', () => {
    const needed = [1, 60_000, 70_000, 5_000_000].map((subscribers) => serversOf({ subscribers }, 'sse'));
    assert.deepEqual(
      needed,
      needed.toSorted((a, b) => a - b),
    );
    assert.equal(needed[0], 1);
  });
  test('a looser bound, more descriptors or more memory never need more', () => {
    const bounds = [1000, 200_000, 5e6].map((latencyP99Us) => serversOf({ latencyP99Us }, 'sse'));
    assert.deepEqual(
      bounds,
      bounds.toSorted((a, b) => b - a),
    );
    assert.ok(bounds[1]! > bounds[2]!);
    const descriptors = [1024, 20_000].map((one) => serversOf({ descriptors: one }, 'sse'));
    assert.deepEqual(
      descriptors,
      descriptors.toSorted((a, b) => b - a),
    );
    assert.equal(descriptors[0], Math.ceil(1_000_000 / 1024));
  });
  test('private topics take more CPU than shared ones, and the same question gives the same answer', () => {
    const own = rows({ topics: 'private' }, streams);
    assert.ok(breaksOf(own['sse']!)['cpu']! < breaksOf(rows({}, streams)['sse']!)['cpu']!);
    assert.deepEqual(rows({ topics: 'private' }, streams), own);
  });
});

test('a bill in the worst case: as many servers and bytes as errors allow, and no more messages', () => {
  const file = 'prices/example.yaml';
  const prices = parsePrices(readFileSync(file, 'utf8'), file);
  const { rows: all } = planCapacity(asked, { ...capacityContext(profile), models: streams, prices });
  const [row] = all as [PlanRow];
  const { lines, total, totalIfOff } = row.bill!;
  const [machines, requests, traffic, connections, messages] = lines.map(({ amount, amountIfOff, from }) => ({
    amount,
    worst: amountIfOff ?? NaN,
    from,
  }));
  // Two servers a machine, as far as memory goes: 4 GB each for less than 65,535 subscribers at 14 kB.
  const perMachine = row.server.memoryBytes.value <= 4e9 ? 2 : 1;
  assert.equal(machines!.amount, Math.ceil(row.servers! / perMachine) * 720 * 0.05);
  assert.equal(machines!.worst, Math.ceil(row.serversIfOff! / perMachine) * 720 * 0.05);
  assert.equal(machines!.from, row.breaks[0]!.limit === 'descriptors' ? 'profile' : 'simulated');
  assert.deepEqual([requests!.amount, requests!.worst, requests!.from], [0, 0, 'arithmetic']);
  assert.equal(traffic!.worst / traffic!.amount, 1 + row.bytesOutPerMonth.off!);
  assert.equal(connections!.from, 'profile');
  assert.deepEqual([messages!.worst, messages!.from], [messages!.amount, 'arithmetic']);
  assert.equal(
    total,
    lines.reduce((sum, { amount }) => sum + amount, 0),
  );
  assert.ok(totalIfOff! >= total);
});

test('the answer on the page is by the models of today', () => {
  const [, answer] = /<!-- answer -->(.*)<!-- \/answer -->/s.exec(readFileSync('docs/plan.md', 'utf8'))!;
  const [, version] = /by\s+models\s+of\s+version\s+(\d+),/.exec(answer!)!;
  assert.equal(Number(version), modelVersion, 'run the command of docs/plan.md again');
});

test('the pages say how many subscribers one server is asked for at most', () => {
  const most = formatNumber(mostOnOneServer);
  assert.ok(readFileSync('docs/plan.md', 'utf8').includes(`No server gets more than ${most}.`));
  assert.ok(readFileSync('docs/advise.md', 'utf8').includes(`(up to ${most} clients, one way)`));
});

test('patterns without a model are left out by name', () => {
  const { leftOut } = planCapacity(asked, { ...capacityContext(profile), models: {}, prices: undefined });
  assert.equal(leftOut.length, 6);
  assert.match(leftOut[0]!.reason, /no model/);
});

describe('webhooks, of which each delivery is computed', () => {
  const webhooks: ModelRegistry = { webhook: models['webhook']! };
  test('those that come once a month are planned for, with a bound of any length', () => {
    const rare = { subscribers: 100, eventsPerS: 1 / 2_592_000, latencyP99Us: 10_000_003 };
    const { webhook } = rows(rare, webhooks);
    assert.equal(webhook!.servers, 1);
  });
  test('no server is tried that is larger than one with room for all', () => {
    const asked: number[] = [];
    const watched: Model = Object.assign(
      (input: ModelInput) => {
        asked.push(input.scenario.subscribers);
        return models['webhook']!(input);
      },
      { eachDelivery: true as const },
    );
    const { webhook } = rows({ subscribers: 3000 }, { webhook: watched });
    assert.equal(webhook!.servers, 1);
    assert.equal(Math.max(...asked), 4096);
    const unknown = webhook!.breaks.filter(({ limit }) => limit === 'latency' || limit === 'cpu');
    for (const one of unknown) assert.deepEqual([one.subscribers, one.isKnown], [4096, false]);
  });
  test('more subscribers never need fewer servers, wherever the search ends early and where not', () => {
    // 100 events a second are full with fewer than 900 receivers, and the bound breaks before.
    const busy = { eventsPerS: 100, latencyP99Us: 8000 };
    const needed = [1, 8, 60, 300, 500, 600, 1000, 5000].map(
      (subscribers) => rows({ ...busy, subscribers }, webhooks)['webhook']!.servers ?? Infinity,
    );
    assert.deepEqual(
      needed,
      needed.toSorted((a, b) => a - b),
    );
    assert.ok(needed[0] === 1 && needed.at(-1)! > 5, `${needed}`);
  });
});
