// Holds the order in which the events of each topic are sent, whatever servers do with them, and that sending
// costs the same however many wait.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { createTopicQueues } from '../../../load/publisher/topic-queues.ts';

/** One that counts how often it is asked. */
function serverThat(isOpen: boolean) {
  const server = { open: isOpen, asked: 0, underWay: [] as { topic: number; event: number }[] };
  return Object.assign(server, { isOpen: () => (server.asked++, server.open) });
}

type Step = { do: 'due' | 'send' | 'answer' | 'return' | 'lose' | 'turn'; topic: number; at: number };
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    do: fc.constantFrom('due', 'due', 'send', 'send', 'answer', 'return', 'lose', 'turn'),
    topic: fc.nat(2),
    at: fc.nat(2),
  }),
  { maxLength: 200 },
);

test('a topic is at one server at a time, and its first waiting event goes first', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const servers = [serverThat(true), serverThat(true), serverThat(false)];
      const queues = createTopicQueues<(typeof servers)[number]>();
      const waiting = new Map<number, number[]>([0, 1, 2].map((topic) => [topic, []]));
      const topicOf = new Map<number, number>();
      let due = 0;
      const back = (server: (typeof servers)[number]) => {
        const { topic, event } = server.underWay.shift()!;
        waiting.get(topic)!.push(event);
        queues.returned(topic, event);
      };
      const send = () => {
        const next = queues.take(() => servers.find(({ open }) => open));
        if (!next) return false;
        const topic = topicOf.get(next.event)!;
        const own = waiting.get(topic)!.sort((a, b) => a - b);
        assert.equal(next.event, own.shift());
        for (const other of servers)
          if (other !== next.server) assert.ok(other.underWay.every((one) => one.topic !== topic));
        assert.ok(next.server.open);
        next.server.underWay.push({ topic, event: next.event });
        return true;
      };
      for (const step of all) {
        const server = servers[step.at]!;
        if (step.do === 'due') {
          topicOf.set(due, step.topic);
          waiting.get(step.topic)!.push(due);
          queues.add(step.topic, due++);
        } else if (step.do === 'send') send();
        else if (step.do === 'turn') server.open = !server.open;
        else if (step.do === 'lose') while (server.underWay.length > 0) back(server);
        else if (server.underWay.length === 0) continue;
        else if (step.do === 'return') back(server);
        else queues.answered(server.underWay.shift()!.topic);
      }
      // In the end every event is sent.
      for (const server of servers) {
        server.open = true;
        while (server.underWay.length > 0) queues.answered(server.underWay.shift()!.topic);
      }
      while (send());
      assert.equal(queues.size(), 0);
      assert.deepEqual([...waiting.values()].flat(), []);
    }),
  );
});

test('what waits for a server that stands still is not looked at for each event that comes', () => {
  const still = serverThat(true);
  const queues = createTopicQueues<typeof still>();
  const choose = () => (still.open ? still : undefined);
  for (let topic = 0; topic < 10; topic++) queues.add(topic, topic);
  while (queues.take(choose));
  still.open = false;
  const events = 20_000;
  for (let event = 10; event < events; event++) {
    queues.add(event % 10, event);
    assert.equal(queues.take(choose), undefined);
  }
  for (let event = 0; event < 10; event++) queues.returned(event, event);
  still.open = true;
  for (let sent = 0; sent < events; sent++) assert.ok(queues.take(choose));
  assert.ok(still.asked < 3 * events, `asked ${still.asked} times`);
});
