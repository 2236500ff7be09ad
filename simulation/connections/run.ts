// Simulates clients with an open connection, on one or several servers that they find by a list, while things
// go wrong: one client after the other on the event core, each by the policy that real ones run. Only what
// nothing tells apart is counted together: those who follow the same topics at the same server, as an event
// reaches them, and those whose connections a full listener dropped at the same moment.

import type { Completed } from '../../core/result/result.ts';
import { recoveryOf } from '../../core/figures/recovery-figures.ts';
import { serversIn } from '../../core/fault/standing.ts';
import { chooseServer } from '../../core/policy/client/choose-server.ts';
import { errorKinds, type ExpectedError } from '../../core/result/simulated.ts';
import { isCluster } from '../../core/scenario/servers.ts';
import { createCosts } from '../costs/costs.ts';
import type { Changes, ModelInput, Simulated } from '../model.ts';
import { byItself, outcomeOf } from '../models/outcome.ts';
import { createRate, prepare, type Prepared } from '../models/prepare.ts';
import { createSignsOfLife, turnsWithin } from '../models/signs-of-life.ts';
import { threadMaker } from '../models/server.ts';
import type { StreamKind } from '../models/stream-kind.ts';
import { sizedEvents } from '../models/streams.ts';
import { createTally } from '../models/tally.ts';
import { runTelling } from '../models/telling.ts';
import { createAccount } from './account.ts';
import { sendAgain, served, waited } from './connecting.ts';
import { createDeliveries } from './deliveries.ts';
import { playFaults, told, type Playing } from './faults.ts';
import { leftOut } from './left-out.ts';
import { lifeIn } from './lives.ts';
import { createLog, sharingOf } from './log.ts';
import { rulesOf } from './pattern-rules.ts';
import { createPublishing } from './publishing.ts';
import { synRulesOf } from './syn.ts';
import { createTime } from './time.ts';
import { createUse, type Use } from './use.ts';
import { newServer } from './server-state.ts';
import { newTables, states, type World } from './world.ts';
import { topicCount } from '../../core/scenario/topics.ts';

/** Between two looks at whether all is over (harness/trial/drain.ts). */
const lookUs = 50_000;

export function runConnections(input: ModelInput, kind: StreamKind): Simulated {
  const { scenario } = input;
  const prepared = prepare(input);
  const { measureUs, drainUs, subscribers, beginsUs } = prepared;
  const tally = createTally(measureUs, drainUs, subscribers);
  const { world, use, signs } = createWorld(input, prepared, kind, tally);
  const playing = playFaults(world, scenario.faults, scenario.phases);
  place(world, scenario.phases.connect);
  world.publishing.begin();
  runTelling(world.time, { fromUs: beginsUs, toUs: measureUs }, input.computed)(measureUs);
  use.measured();
  const closeUs = runDrain(world, playing, tally, measureUs + drainUs);
  const changes = changesOf(input, world, use, playing, closeUs, beginsUs);
  const sent = signs(use.hereShare());
  tally.add('heartbeats', sent);
  tally.add('bytesOut', sent * kind.life.bytes(prepared.cursorBytes));
  tally.add('bytesIn', sent * kind.life.answerBytes);
  world.deliveries.finish();
  return simulatedOf(input, prepared, { world, use, tally, changes, kind });
}

type Signs = (hereShare: number) => number;

function createWorld(
  input: ModelInput,
  prepared: Prepared,
  kind: StreamKind,
  tally: ReturnType<typeof createTally>,
): { world: World; use: Use; signs: Signs } {
  const { scenario, variant, profile } = input;
  const { followers, subscribers, measured, beginsUs } = prepared;
  const { servers: asked, server: limits, reconnect, faults } = scenario;
  const time = createTime(beginsUs);
  const tables = newTables(subscribers);
  const { lists } = tables;
  const total = serversIn(asked.count, faults);
  const newThread = threadMaker(input.oneCore);
  const servers = Array.from({ length: total }, (_, i) =>
    newServer(i, lists, { running: i < asked.count, thread: newThread() }),
  );
  const log = createLog(topicCount(followers.groups), limits.history, limits.historySize);
  const use = createUse(prepared, { running: asked.count, all: total }, time, tally);
  const signs = createSigns(input, prepared, kind);
  const deliveries = createDeliveries({
    followers,
    servers,
    log,
    costs: createCosts(measured),
    tally: use.tally,
    random: input.random('latency'),
    rateAt: createRate(prepared),
    asked: use.asked,
    ...(input.clients === 'one-by-one' && { each: ({ members }, get) => lists.each(members, get) }),
  });
  const publishing = createPublishing(
    time,
    servers,
    sizedEvents(input.events, prepared, kind),
    input.random('publisher-reconnect'),
    (event) => {
      signs.written(event.topic, time.nowUs());
      deliveries.publish(event, time.nowUs());
    },
  );
  const on: World['on'] = {
    attempt: time.handler((client) => waited(world, client)),
    served: time.handler((client) => served(world, client)),
    again: time.handler((batch) => sendAgain(world, batch)),
    told: time.handler((client) => told(world, client)),
  };
  const world: World = {
    ...tables,
    time,
    servers,
    syn: synRulesOf(profile.kernel),
    policy: reconnect,
    rules: rulesOf(variant, reconnect, Math.round(limits.announce), isCluster(asked)),
    account: createAccount(subscribers, -beginsUs),
    log,
    sharing: sharingOf(asked.broker.kind),
    deliveries: use.watched(deliveries),
    publishing,
    newThread,
    ends: lifeIn(profile, asked.broker.kind) ?? { startUs: 0, stopUs: 0 },
    sharesCore: input.oneCore === true,
    connectUs: measured.atRest.connectCpuUs,
    random: {
      waits: input.random('reconnect'),
      advice: input.random('advice'),
      faults: input.random('faults'),
    },
    worked: use.connecting,
    handshake: use.handshake,
    together: input.clients === 'groups',
    batches: [],
    freeBatches: [],
    latest: servers.map(() => ({ atUs: NaN, batch: 0 })),
    on,
    nextEpoch: 1,
  };
  use.sampleSlots(world);
  return { world, use, signs: (share) => signs.finish() * share };
}

/** Every client is at its first server of the list, or at the next one that listens. */
function place(world: World, connectMs: number): void {
  const { clients, comebacks, servers, lists, sharing, rules, deliveries } = world;
  for (const { reach } of servers) reach.epoch = sharing.epochs === 'own' ? world.nextEpoch++ : 0;
  for (let i = 0; i < clients.count; i++) {
    const memory = comebacks.of(i);
    let server = servers[chooseServer(i, 0, servers.length)]!;
    while (!server.listening) server = servers[chooseServer(i, ++memory.turns, servers.length)]!;
    rules.joined(memory, (connectMs * i) / clients.count);
    comebacks.keep(i);
    clients.server[i] = server.place;
    clients.epoch[i] = server.reach.epoch;
    lists.push(server.members, i);
    deliveries.joined(i, server.place);
    clients.here++;
  }
}

/** Until all has arrived, everybody is back and every fault is done, or the limit is reached. */
function runDrain(
  { time, account }: World,
  playing: Playing,
  tally: ReturnType<typeof createTally>,
  limitUs: number,
): number {
  const isOver = () => tally.isComplete() && account.coming() === 0 && playing.settled();
  while (!isOver() && time.nowUs() < limitUs) time.run(Math.min(limitUs, time.nowUs() + lookUs));
  return time.nowUs();
}

function changesOf(
  { scenario }: ModelInput,
  world: World,
  use: Use,
  playing: Playing,
  closeUs: number,
  beginsUs: number,
): Changes {
  const { clients, account, deliveries, publishing } = world;
  for (let i = 0; i < clients.count; i++)
    if (clients.state[i] !== states.here) account.missed(deliveries.missedBy(i, clients.lostAt[i]!));
  const recovery: Completed['recovery'] = recoveryOf(
    [{ recovery: account.close(closeUs) }],
    scenario.reconnect,
    -beginsUs,
  ).recovery;
  const { count, broker, inFront } = scenario.servers;
  const total = Math.max(count, world.servers.length);
  return {
    faults: playing.finish(closeUs),
    ...(recovery && { recovery }),
    resumed: deliveries.counts().resumed,
    unconfirmed: publishing.waiting().filter(({ atUs }) => atUs >= 0).length,
    ...(isCluster(scenario.servers) && {
      servers: { count: total, broker: broker.kind, inFront: inFront.kind },
    }),
    perServer: use.perServer(),
  };
}

type Ran = {
  world: World;
  use: Use;
  tally: ReturnType<typeof createTally>;
  changes: Changes;
  kind: StreamKind;
};

function simulatedOf(
  input: ModelInput,
  prepared: Prepared,
  { world, use, tally, changes, kind }: Ran,
): Simulated {
  const { measured, subscribers } = prepared;
  const { deliveries } = world;
  const { count } = input.scenario.servers;
  use.addConnecting();
  const outcome = outcomeOf(input, prepared, tally, byItself(subscribers), {
    idleShares: [use.idleShare()],
    extrapolated: deliveries.extrapolated(),
    expectedError: heldAgainstRuns,
    part: 'whole',
    leavesOut: leftOut(input, prepared, kind),
  });
  use.fillSlots(outcome.slots);
  const { grows, ...demand } = use.demand();
  outcome.ledger.duplicated = deliveries.counts().duplicated;
  return {
    ...outcome,
    server: { ...outcome.server, ...demand },
    saturated: grows,
    extrapolated: Math.max(1, deliveries.extrapolated(), subscribers / count / measured.atRest.subscribers),
    expectedError: heldAgainstRuns,
    changes,
  };
}

/**
 * By how much predictions of the validation were off (docs/validation.md, storms and deploys): the 75th
 * percentile of each figure's error, rounded up to a whole percent. Other kinds were not compared with runs.
 */
const heldAgainstRuns: ExpectedError = {
  ...(Object.fromEntries(errorKinds.map((kind) => [kind, null])) as ExpectedError), // of all kinds
  recovery: 0.08, // of the time until all are back
  connects: 0.03, // of the most connections opened in a second
  losses: 0.22, // three of four were exact, so this is the largest
};

/** Signs of life of clients that are all there the whole time. */
function createSigns(
  input: ModelInput,
  { followers, subscribers, beginsUs, measureUs }: Prepared,
  kind: StreamKind,
): { written(topic: number, atUs: number): void; finish(): number } {
  const span = { beginsUs, measureUs, shifts: [input.random('turns')()] };
  const { everyMs, when } = kind.life;
  if (when === 'always') return { written() {}, finish: () => turnsWithin(subscribers, everyMs, span) };
  const signs = createSignsOfLife(followers, everyMs, span);
  return {
    written(topic, atUs) {
      for (let i = followers.from[topic]!; i < followers.from[topic + 1]!; i++)
        signs.written(followers.list[i]!, atUs);
    },
    finish: () => signs.finish(measureUs),
  };
}
