// Holds the parts of the model of connections against what they stand for: the log of real servers, the real
// policies' own memory, Linux's times, plain arrays.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'vitest';
import { random } from '../../../core/base/random.ts';
import {
  newComeback,
  noteAsked,
  noteReconnectionTime,
  noteRefusal,
  noteSuccess,
  noteWindow,
  takeWaitMs,
} from '../../../core/policy/client/reconnect.ts';
import { policyNames, presets } from '../../../core/policy/client/presets.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { brokersWithOneLog } from '../../../core/scenario/servers.ts';
import { createHub } from '../../../servers/hub/hub.ts';
import { createComebacks } from '../../../simulation/connections/comebacks.ts';
import { createLists } from '../../../simulation/connections/lists.ts';
import { createLog, resume } from '../../../simulation/connections/log.ts';
import { synRulesOf, synWaitUs } from '../../../simulation/connections/syn.ts';

test('what a client finds is what a real log has for its cursor', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 40 }),
      fc.nat(),
      fc.integer({ min: 0, max: 6 }),
      fc.uniqueArray(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 300, max: 4000 }),
      (published, at, history, topics, historySize) => {
        const lostAt = at % (published.length + 1);
        const hub = createHub({ ...defaultLimits, history, historySize });
        let cursor = `${hub.epoch}-0`;
        const log = createLog(3, history, historySize);
        const ids = published.map((topic, i) => {
          const event = hub.publish(`t${topic}`, '1', { plannedUs: 1 });
          const jsonBytes = Buffer.byteLength(event.json);
          log.add({ atUs: i, topic, bodyBytes: 1, bytes: jsonBytes, jsonBytes });
          if (i < lostAt && topics.includes(topic)) cursor = event.id;
          return event.id;
        });
        const real = hub.since(
          topics.map((topic) => `t${topic}`),
          cursor,
        );
        const returning = { lostAt, epoch: 0, topics, joinedAt: 0 };
        const { tooLate, found } = resume(log, { from: 0, epoch: 0 }, returning);
        const events = found.flatMap(({ from, to }, i) => log.ofTopic(topics[i]!).slice(from, to));
        assert.deepEqual(
          events.toSorted((a, b) => a - b).map((event) => ids[event]),
          real.events.map(({ id }) => id),
        );
        assert.equal(tooLate, real.lost);
        // To a process that knows nothing of its cursor, as the real one to a cursor of another epoch.
        const other = resume(log, { from: 0, epoch: 1 }, returning);
        const all = hub.since(
          topics.map((topic) => `t${topic}`),
          'another-0',
        );
        assert.equal(other.tooLate && all.lost, true);
        const held = other.found.reduce((sum, { from, to }) => sum + to - from, 0);
        assert.equal(held, all.events.length);
      },
    ),
    { numRuns: 200 },
  );
});

test('events of a part of the time are as many as one by one', () => {
  const event = fc.record({ topic: fc.integer({ min: 0, max: 1 }), laterUs: fc.integer({ min: 0, max: 3 }) });
  const part = fc.tuple(fc.integer({ min: 0, max: 45 }), fc.integer({ min: 0, max: 45 }));
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), part, part, (published, [from, to], [fromUs, toUs]) => {
      const log = createLog(2, 1000, 1e6);
      const plannedUs: number[][] = [[], []];
      let atUs = -5;
      for (const { topic, laterUs } of published) {
        atUs += laterUs;
        log.add({ atUs, topic, bodyBytes: 1, bytes: 1, jsonBytes: 1 });
        plannedUs[topic]!.push(atUs);
      }
      for (const [topic, all] of plannedUs.entries()) {
        const last = Math.min(to, all.length);
        const one = all.slice(from, last).filter((us) => us >= fromUs && us < toUs);
        assert.equal(log.plannedWithin(topic, from, last, fromUs, toUs), one.length);
      }
    }),
  );
});

test('which brokers give all servers one log is what the pages say', () => {
  const page = readFileSync('docs/cluster/brokers.md', 'utf8').split('\n');
  const cellsOf = (begins: string) =>
    page
      .find((line) => line.startsWith(begins))!
      .split('|')
      .map((cell) => cell.trim());
  const cursors = cellsOf('| cursors ');
  const shared = cellsOf('| | `in-process`').filter((_, i) => cursors[i] === 'the same on every server');
  assert.deepEqual(
    shared,
    brokersWithOneLog.map((name) => `\`${name}\``),
  );
  const front = readFileSync('docs/cluster/in-front.md', 'utf8');
  assert.ok(front.includes(`gives all servers one log (${shared.join(', ')})`));
});

test('what clients remember in arrays is what the policy keeps in objects', () => {
  const step = fc.record({
    client: fc.integer({ min: 0, max: 2 }),
    does: fc.constantFrom('fails', 'opens', 'asked', 'retry', 'window', 'refused'),
    ms: fc.integer({ min: 0, max: 20_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(...policyNames), (steps, policy) => {
      const comebacks = createComebacks(3);
      const objects = [newComeback(), newComeback(), newComeback()];
      const [ours, theirs] = [random(1, 'waits'), random(1, 'waits')];
      const { base, cap } = presets[policy];
      let nowMs = 0;
      const act = (
        client: (typeof objects)[number],
        { does, ms }: (typeof steps)[number],
        next: () => number,
      ) => {
        if (does === 'opens') noteSuccess(client, nowMs);
        if (does === 'asked') noteAsked(client, ms);
        if (does === 'retry') noteReconnectionTime(client, ms);
        if (does === 'window') noteWindow(client, ms);
        if (does === 'refused') noteRefusal(client, 503);
        return does === 'fails' ? takeWaitMs(client, { policy, base, cap }, next, nowMs) : 0;
      };
      for (const one of steps) {
        nowMs += one.ms;
        const lent = comebacks.of(one.client);
        const wait = act(lent, one, ours);
        comebacks.keep(one.client);
        assert.equal(wait, act(objects[one.client]!, one, theirs));
        assert.deepEqual({ ...comebacks.of(one.client) }, objects[one.client]);
      }
    }),
  );
});

test('a dropped packet is sent again when Linux sends it', () => {
  // ip-sysctl.rst, tcp_syn_linear_timeouts: "1, 1, 1, 1, 1, 2, 4, 8, 16, ..." with the default of 4.
  const rules = synRulesOf({ somaxconn: 4096, tcpSynRetries: 6, tcpSynLinearTimeouts: 4 });
  const waits = Array.from({ length: rules.retransmits + 1 }, (_, i) => synWaitUs(i + 1, rules) / 1e6);
  assert.deepEqual(waits, [1, 1, 1, 1, 1, 2, 4, 8, 16, 32, 64]);
  assert.equal(rules.most, 4097);
  const older = synRulesOf({ somaxconn: 128, tcpSynRetries: 6, tcpSynLinearTimeouts: 0 });
  // Linux before 6.5 has no such setting, so a profile of it cannot have read it.
  assert.deepEqual(synRulesOf({ somaxconn: 128, tcpSynRetries: 6, tcpSynLinearTimeouts: null }), older);
  const olderWaits = Array.from({ length: older.retransmits + 1 }, (_, i) => synWaitUs(i + 1, older) / 1e6);
  // tcp(7), tcp_syn_retries: with 6 the final timeout is after 127 seconds.
  assert.deepEqual(olderWaits, [1, 2, 4, 8, 16, 32, 64]);
  assert.equal(
    olderWaits.reduce((a, b) => a + b),
    127,
  );
  const timesOf = (all: readonly number[], count: number) => {
    let atS = 0;
    const times = all.slice(0, count).map((wait) => (atS += wait));
    return `${times.slice(0, -1).join(', ')} and ${times.at(-1)} s`;
  };
  for (const page of ['docs/cluster/servers.md', 'docs/cluster/scale.md']) {
    const text = readFileSync(page, 'utf8');
    for (const times of [timesOf(waits, 7), timesOf(olderWaits, 3)]) assert.ok(text.includes(times), times);
  }
});

test('clients in lists are where they are in arrays', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ client: fc.nat(9), to: fc.integer({ min: -1, max: 2 }) })), (moves) => {
      const lists = createLists(10);
      const numbers = [lists.open(), lists.open(), lists.open()];
      const arrays: number[][] = [[], [], []];
      for (const { client, to } of moves) {
        const at = arrays.findIndex((one) => one.includes(client));
        if (at >= 0) {
          lists.remove(client);
          arrays[at] = arrays[at]!.filter((one) => one !== client);
        }
        if (to >= 0) {
          lists.push(numbers[to]!, client);
          arrays[to]!.push(client);
        }
        for (const [i, array] of arrays.entries()) {
          const seen: number[] = [];
          lists.each(numbers[i]!, (one) => void seen.push(one));
          assert.deepEqual(seen, array);
          assert.equal(lists.size(numbers[i]!), array.length);
          assert.equal(lists.first(numbers[i]!), array[0] ?? -1);
        }
      }
    }),
  );
});
