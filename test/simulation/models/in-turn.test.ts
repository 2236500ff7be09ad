// Holds the dealing of events to simulated servers against the queues of the publisher, which deals them to
// real ones.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { createTopicQueues } from '../../../load/publisher/topic-queues.ts';
import { createInTurn } from '../../../simulation/models/in-turn.ts';

type Due = { atUs: number; topic: number };

/** The servers of events, each of which is sent when it is due and answered so much later. */
function dealtByPublisher(events: readonly Due[], servers: number, answerUs: number): number[] {
  const all = Array.from({ length: servers }, (_, place) => ({ place, isOpen: () => true }));
  const queues = createTopicQueues<(typeof all)[number]>();
  let turn = 0;
  const underWay: Due[] = [];
  return events.map(({ atUs, topic }, event) => {
    while (underWay.length > 0 && underWay[0]!.atUs + answerUs <= atUs)
      queues.answered(underWay.shift()!.topic);
    queues.add(topic, event);
    const sent = queues.take(() => all[turn++ % servers]);
    assert.ok(sent);
    assert.equal(sent.event, event, 'nothing waits where all servers take events');
    underWay.push({ atUs, topic });
    return sent.server.place;
  });
}

test('events go to the servers that the publisher would send them to', () => {
  const due = fc.record({ laterUs: fc.integer({ min: 0, max: 30 }), topic: fc.integer({ min: 0, max: 3 }) });
  fc.assert(
    fc.property(
      fc.array(due, { maxLength: 60 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 50 }),
      (gaps, servers, answerUs) => {
        let nowUs = -100;
        const events = gaps.map(({ laterUs, topic }): Due => ({ atUs: (nowUs += laterUs), topic }));
        const inTurn = createInTurn(servers, 4, answerUs);
        assert.deepEqual(
          events.map(({ atUs, topic }) => inTurn(atUs, topic)),
          dealtByPublisher(events, servers, answerUs),
        );
      },
    ),
  );
});
