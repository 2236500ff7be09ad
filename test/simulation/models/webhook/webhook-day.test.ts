// A small version of the scenario webhook-day, which is meant to be simulated: a hundredth of its deliveries,
// with the same outage.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { patterns } from '../../../../core/pattern/registry.ts';
import { random } from '../../../../core/base/random.ts';
import { quantileUs } from '../../../../core/result/histogram.ts';
import { parseScenario } from '../../../../core/scenario/scenario-file.ts';
import { models } from '../../../../simulation/models/registry.ts';
import { eventsOf, profileOf, steadyMachine } from '../../fixture.ts';

const file = 'scenarios/webhook-day.yaml';
const { scenario } = parseScenario(readFileSync(file, 'utf8'), {
  file,
  registry: patterns,
  overrides: ['topics.orders.publish.poisson=0.116/s', 'subscribers=100', 'topics.orders.count=10'],
});
const events = eventsOf(scenario);
const outcomes = new Map(
  scenario.variants.map((variant) => [
    variant.as!,
    models['webhook']!({
      scenario,
      variant,
      profile: profileOf(steadyMachine),
      events,
      random: (stream) => random(1, stream),
      clients: 'groups',
    }),
  ]),
);
const hourUs = 3600e6;

test('schedules that end within the hour lose what they give up, the others nothing', () => {
  for (const [name, { ledger, notes }] of outcomes) {
    assert.equal(ledger.delivered + ledger.missed, ledger.expected, name);
    assert.ok(ledger.expected > 90_000, name);
    if (name === 'Slack' || name === 'Convoy') {
      assert.ok(ledger.missed > 0, name);
      assert.match(
        notes![0]!.message,
        /given up after the last attempt; the warm-up's are among them\.$/,
        name,
      );
    } else assert.deepEqual([ledger.missed, notes], [0, []], name);
  }
  // Slack's last attempt is six minutes after the first: what was published earlier before the end is lost.
  const lost = events.filter(({ atUs }) => atUs >= 6 * hourUs && atUs < 7 * hourUs - 360e6).length * 10;
  const { missed } = outcomes.get('Slack')!.ledger;
  assert.ok(lost > 3000 && Math.abs(missed - lost) <= 10, `${missed} of ${lost}`);
});

test('the last delivery comes when the schedule of what was published first says so', () => {
  const latest = quantileUs(outcomes.get('1m 5m 30m 2h')!.latency.endToEnd, 1)! / hourUs;
  // After 1, 6, 36 and 156 minutes: whatever came more than 24 minutes before the end waits for the last.
  assert.ok(Math.abs(latest - 2.6) < 0.05, `${latest}`);
});
