// Simulates webhooks: each delivery by itself, with the policies that the server has (core/policy/webhook/):
// queues of endpoints, retries, breakers, what disables an endpoint. What an attempt takes is the profile's;
// what endpoints do with it is the scenario's.

import type { PatternOptions } from '../../core/pattern/registry.ts';
import type { Variant } from '../../core/pattern/variant.ts';
import { createConduct } from '../../core/scenario/endpoint-conduct.ts';
import { isCluster } from '../../core/scenario/servers.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { followerOf, followersOf, topicCount, type TopicGroupPlan } from '../../core/scenario/topics.ts';
import { newEvents } from '../events/events.ts';
import type { Model, ModelInput, Simulated } from '../model.ts';
import { prepare } from './prepare.ts';
import { createServer } from './server.ts';
import { createTally, slotUsOf } from './tally.ts';
import { runTelling } from './telling.ts';
import { createAcceptance } from './webhook-acceptance.ts';
import { createAccount } from './webhook-account.ts';
import { createAttempts } from './webhook-attempts.ts';
import { createDeliveries } from '../webhooks/deliveries.ts';
import { finish } from './webhook-finish.ts';
import { createInHandler } from '../webhooks/in-handler.ts';
import { createPublished } from '../webhooks/published.ts';
import { createQueue, type Schedule } from '../webhooks/queue.ts';
import { createSettling } from '../webhooks/settling.ts';

type Options = PatternOptions<'webhook'>;

export const webhook: Model = Object.assign(simulate, { cannot, eachDelivery: true as const });

/** What no model knows of webhooks. */
function cannot({ options: given }: Variant, { server, servers }: Pick<Scenario, 'server' | 'servers'>) {
  const options = given as Options; // by its schema
  if (isCluster(servers))
    return 'no model knows webhooks of several servers, brokers or HAProxy; --set servers={} is one server';
  if (options.store !== 'memory' && options.store !== 'sqlite')
    return `no model knows how store: ${options.store} deals out deliveries; store: sqlite has a model`;
  if (options.resequence > 0) return 'no model knows how receivers put events back into order (resequence)';
  if (server.slow === 'coalesce')
    return "no model knows how an endpoint's queue is coalesced; --set server.slow=drop has a model";
  return undefined;
}

function simulate(input: ModelInput): Simulated {
  const { scenario } = input;
  const options = input.variant.options as Options; // by its schema
  const prepared = prepare(input);
  const { subscribers, measureUs, drainUs } = prepared;
  const { groups } = prepared.followers;
  const originUs = -prepared.beginsUs;
  const endUs = measureUs + drainUs;
  const firstPairs = firstPairsOf(groups, subscribers);
  const tally = createTally(measureUs, drainUs, subscribers);
  const account = createAccount(tally, firstPairs.at(-1)!, endUs);
  const events = newEvents();
  const published = createPublished();
  const deliveries = createDeliveries(subscribers, published.messageOf);
  const settling = createSettling(published, deliveries, account);
  const conduct = createConduct(scenario.endpoints, input.random('conduct'));
  conduct.setStart(0);
  const both = { events, originUs, account, published, deliveries, options };
  const begin = createAttempts({
    ...both,
    thread: createServer(),
    conduct,
    slotOf: (topic, k) => firstPairs[topic]! + k,
    ended: (task, answer, nowUs) => schedule.ended(task, answer, nowUs),
  });
  const schedule: Schedule = (options.delivery === 'sync' ? createInHandler : createQueue)({
    ...both,
    subscribers,
    server: scenario.server,
    settling,
    random: input.random('retries'),
    endpointOf: (topic, k) => followerOf(groups, topic, k),
    begin,
  });

  let due = 0;
  const slotUs = slotUsOf(measureUs);
  const slots = Math.ceil(measureUs / slotUs);
  const sample = events.handler((slot, nowUs) => {
    const oldest = deliveries.pages.oldest();
    const ageUs =
      oldest === undefined ? 0 : nowUs - originUs - published.plannedUs(deliveries.eventOf(oldest));
    account.sampled(deliveries.pages.live(), (Math.max(0, ageUs) / 1000) * options.timeScale);
    if (slot === slots - 1) due = schedule.due(nowUs);
  });
  // A slot may end within a microsecond.
  for (let i = 0; i < slots; i++)
    events.at(Math.ceil(originUs + Math.min(measureUs, (i + 1) * slotUs)), sample, i);

  const accepted = events.handler((event, nowUs) => schedule.accept(event, nowUs));
  const acceptance = createAcceptance(input, prepared, options);
  const clock = { run: (untilUs: number) => void events.run(untilUs) };
  const runTo = runTelling(clock, { fromUs: 0, toUs: originUs + endUs }, input.computed);
  for (const planned of input.events) {
    const receivers = firstPairs[planned.topic + 1]! - firstPairs[planned.topic]!;
    tally.published(planned.atUs, receivers);
    if (receivers === 0) continue;
    runTo(Math.max(events.nowUs(), Math.floor(originUs + planned.atUs)));
    const { atUs, event } = acceptance.of(planned, receivers);
    events.at(Math.ceil(originUs + atUs), accepted, published.add(event));
  }
  runTo(originUs + endUs);
  settling.endAll();
  return finish(input, prepared, { tally, account, settling, acceptance, due });
}

/** Pairs of a topic and a receiver of it are numbered: where each topic's begin, and how many there are. */
function firstPairsOf(groups: readonly TopicGroupPlan[], subscribers: number): Float64Array {
  const topics = topicCount(groups);
  const first = new Float64Array(topics + 1);
  for (let topic = 0; topic < topics; topic++)
    first[topic + 1] = first[topic]! + followersOf(groups, topic, subscribers);
  return first;
}
