// Simulates shipped scenarios in which connections come and go, sized down, and reads their figures as
// expectations and reports do; what no model knows is refused with what to set.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { figureOf } from '../../../core/metrics/registry.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { scheduleOf } from '../../../core/plan/schedule.ts';
import { trial as trialSchema, type Completed } from '../../../core/result/trial.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import type { Scenario } from '../../../core/scenario/scenario.ts';
import { obstaclesTo, whyNoModel } from '../../../simulation/refusals.ts';
import { models } from '../../../simulation/registry.ts';
import { simulateTrial } from '../../../simulation/simulate.ts';
import { noFiles } from '../fixture.ts';
import { testProfile } from '../profile.ts';

function scenariosIn(name: string, overrides: readonly string[] = []): Scenario[] {
  const file = `scenarios/${name}.yaml`;
  const { scenario } = parseScenario(readFileSync(file, 'utf8'), { file, registry: patterns, overrides });
  return scenario.cells.length > 0 ? scenario.cells.map((cell) => cell.scenario) : [scenario];
}

/** All cells and variants that a model knows. */
function simulatedOf(name: string, overrides: readonly string[]): { scenario: Scenario; trial: Completed }[] {
  return scenariosIn(name, overrides).flatMap((scenario) => {
    assert.deepEqual(obstaclesTo(scenario), []);
    const variants = scenario.variants.filter(
      (variant) => whyNoModel(variant, scenario, models, patterns) === undefined,
    );
    assert.ok(variants.length > 0);
    return variants.map((variant) => {
      const made = simulateTrial(
        {
          scenario,
          variant,
          repetition: 1,
          schedule: scheduleOf(scenario, noFiles),
          profile: { ...testProfile, serverLife: { startUs: 300_000, stopUs: 20_000 } },
          clients: 'groups',
        },
        models,
        new Date('2026-02-03T04:05:06Z'),
      );
      assert.deepEqual(trialSchema.parse(made), made);
      assert.equal(made.outcome.status, 'completed');
      return { scenario, trial: made.outcome as Completed }; // just looked at
    });
  });
}

const valueOf = (name: string, trial: Completed) => figureOf(name, trial).value;

test('reconnect-storm: a herd without jitter, a window that is obeyed, and nothing lost', () => {
  for (const { scenario, trial } of simulatedOf('reconnect-storm', ['subscribers=300'])) {
    const { policy, advice } = scenario.reconnect;
    const name = `${policy} ${advice}`;
    assert.deepEqual([valueOf('missed', trial), valueOf('never-back', trial)], [0, 0], name);
    assert.equal(valueOf('absences', trial), 300, name);
    assert.equal(valueOf('recovered-share', trial), 1, name);
    const peak = valueOf('peak-connects', trial)!;
    if (advice === 'obey') assert.ok(peak < 150, `${name}: ${peak}`);
    else if (policy === 'phoenix') assert.equal(peak, 300);
    assert.ok(valueOf('reconnect.max', trial)! < 7e6, name);
    assert.equal(figureOf('errors', trial).value, undefined);
    assert.ok(valueOf('reconnects', trial)! >= 300, name);
  }
});

test('rolling-deploy: with a history nothing is lost, without one what was published to those away', () => {
  const sized = ['subscribers=200', 'topics.feed.count=20', 'topics.feed.publish=5/s each'];
  for (const { scenario, trial } of simulatedOf('rolling-deploy', sized)) {
    const missed = valueOf('missed', trial)!;
    assert.equal(missed > 0, scenario.server.history === 0);
    assert.equal(valueOf('missed.while-connected', trial), 0);
    assert.equal(valueOf('missed.while-away', trial), missed);
    assert.deepEqual([valueOf('duplicated', trial), valueOf('never-back', trial)], [0, 0]);
    assert.ok(valueOf('absences', trial)! > 200, 'who moved to one that goes later moves again');
    assert.ok(valueOf('faults.length', trial)! > 10e6, 'five pairs with two seconds each');
    assert.equal(trial.servers!.count, 10);
    assert.equal(trial.processes.length, 10);
    const [fault] = trial.faults!;
    const { servers, told, left } = fault!.letGo!;
    assert.equal(servers, 10);
    assert.equal(told, left);
    // Those of the last pair have nowhere else to go than to the other eight.
    assert.equal(valueOf('busiest-server-share', trial)! < 0.3, true);
    assert.ok(trial.latencyAroundFaults!.during.count > 0);
  }
});

test('offline-window, advice-ignored and dependency-down say what they say of real servers', () => {
  for (const { scenario, trial } of simulatedOf('offline-window', [])) {
    const [fault] = scenario.faults;
    const isLong = fault?.kind === 'leave' && fault.forMs === 5000;
    const isLost = isLong && scenario.server.history === 10;
    assert.equal(valueOf('too-late', trial), isLost ? 50 : 0);
    // 25 events are published in five seconds, of which the server keeps ten.
    assert.equal(valueOf('missed', trial), isLost ? 50 * 15 : 0);
  }
  for (const { scenario, trial } of simulatedOf('advice-ignored', ['subscribers=200'])) {
    const refused = valueOf('connects-refused', trial)!;
    assert.equal(refused > 1000, scenario.reconnect.policy === 'phoenix', `${refused}`);
    assert.deepEqual([valueOf('missed', trial), valueOf('never-back', trial)], [0, 0]);
  }
  const peaks = simulatedOf('dependency-down', []).map(({ trial }) => valueOf('peak-connects', trial)!);
  const [phoenix, , socketIo] = peaks;
  assert.ok(phoenix! > 200 && socketIo! < 60, peaks.join(' '));
});

test('deploy-million in small: nothing is lost, and a window spreads any client', () => {
  const sized = [
    'subscribers=2000',
    'servers.count=4',
    'phases.connect=2s',
    'phases.measure=90s',
    'topics.feed.count=20',
  ];
  for (const { scenario, trial } of simulatedOf('deploy-million', sized)) {
    const [fault] = scenario.faults;
    const isAtOnce = fault?.kind === 'deploy' && fault.ask.drain.windowMs === 0;
    assert.deepEqual([valueOf('missed', trial), valueOf('never-back', trial)], [0, 0]);
    assert.equal(valueOf('peak-connects', trial)! >= 700, isAtOnce, scenario.reconnect.policy);
  }
});

test('what no model knows is refused, each with what to set instead', () => {
  const obstacles = (name: string, overrides: readonly string[] = []) =>
    scenariosIn(name, overrides).flatMap((one) => obstaclesTo(one));
  assert.match(obstacles('server-crash')[0]!, /servers\.in-front: .*--set servers\.in-front=list/);
  assert.deepEqual(obstacles('server-crash', ['servers.in-front=list', 'expect=[]']), []);
  assert.match(obstacles('broker-outage')[0]!, /faults: no model knows broker.*--set 'faults=\[\]'/);
  const apart = ['servers.broker=in-process', 'expect=[]'];
  assert.match(obstacles('rolling-deploy', apart)[0]!, /servers\.broker: .*=redis-streams/);
  const kafka = ['servers.broker=kafka', 'expect=[]'];
  assert.match(obstacles('rolling-deploy', kafka)[0]!, /servers\.broker: no model knows Kafka.*=redis/);
  const still = (who: string) => [`faults=[{at: 1s, freeze: ${who}, for: 1s}]`, 'expect=[]'];
  const onlyOne = /faults: the only freeze that can be simulated is that of the server, where there is one/;
  assert.match(obstacles('rolling-deploy', still('server'))[0]!, onlyOne);
  assert.match(obstacles('reconnect-storm', still('load'))[0]!, onlyOne);
  assert.deepEqual(obstacles('reconnect-storm', still('server')), []);
  const [blue] = scenariosIn('blue-green', ['servers.in-front=list', 'expect=[]']);
  const why = (pattern: string) =>
    whyNoModel(
      blue!.variants.find((one) => one.pattern === pattern)!,
      blue!,
      models,
      patterns,
    );
  assert.match(why('long-polling')!, /--set 'faults=\[\]'/);
  assert.equal(why('sse'), undefined);
});
