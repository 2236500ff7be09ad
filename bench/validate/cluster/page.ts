// Makes claims and tables of the trials with faults of several servers. Pure.

import { cell } from '../faults/page.ts';
import { table, type Claim, type Outcome } from '../part.ts';
import { subscribers } from './cases.ts';
import { aspects } from './judge.ts';
import { families, kinds, type Family } from './kinds.ts';
import type { ClusterTried } from './runs.ts';

const held =
  'held: the trial completed, the fault happened, the ledger closed, nothing was missed and nobody came ' +
  'too late, nothing was left';
const trials =
  `Each case is a run of its own of one trial: ${subscribers} subscribers, 30 events a second to all of ` +
  'them, SSE, WebSocket, HTTP streaming or long-polling, 2 or 3 servers over Redis Streams or JetStream, ' +
  'found by a list or through HAProxy. All of it follows from the number of the case, and so do the moment ' +
  'of each fault, the server that it hits, its share and its length. A fault happens several times in a ' +
  'trial, one after the other: five times, twice what takes a server away for good, once a deploy. Two ' +
  'trials run at a time, as only counts are judged.';
const columns =
  '"Completed": exit code and result agree, and no process ended that no fault ended. "Happened": every ' +
  'fault could be done, cut somebody off where it must, and nobody where it must not. "Ledger": delivered ' +
  'and missed are what was expected; nothing came twice, broken or unasked, and every event was confirmed. ' +
  '"Resumed": nothing was missed, nobody came too late, without a cursor or not at all. "Nothing left": no ' +
  'process, no port, no temporary file.';

/** @param part what repeats a case */
export function clusterFaultsOutcome(tried: readonly ClusterTried[], part: string): Outcome {
  const familyOf = new Map(kinds.map(({ name, family }) => [name, family]));
  const claims = (Object.keys(families) as Family[]).flatMap((family): Claim[] => {
    const all = tried.filter(({ group }) => familyOf.get(group) === family);
    return all.length === 0 ? [] : [claimOf(all, `trials with ${families[family]} ${held}`)];
  });
  const awayOf = new Map(kinds.map(({ name, away }) => [name, away]));
  return {
    claims,
    markdown: [
      trials,
      columns,
      groups(tried, (group) => awayOf.get(group) ?? ''),
      missesOf(tried, part),
    ].join('\n\n'),
  };
}

export function clusterKillsOutcome(tried: readonly ClusterTried[]): Outcome {
  const sum = (of: (one: ClusterTried) => number) => tried.reduce((all, one) => all + of(one), 0);
  const kills = sum(({ happened }) => happened['kill'] ?? 0);
  const restarts = sum(({ happened }) => happened['restart'] ?? 0);
  const text =
    `trials with ${count(kills)} kills of servers and ${count(restarts)} restarts ${held}; ` +
    `${count(sum(({ absences }) => absences))} absences, ` +
    `${count(sum(({ delivered }) => delivered))} deliveries`;
  return {
    claims: [claimOf(tried, text)],
    markdown: [trials, columns, groups(tried, () => 'somebody'), missesOf(tried, 'cluster-kills')].join(
      '\n\n',
    ),
  };
}

function claimOf(all: readonly ClusterTried[], text: string): Claim {
  const missing = all.filter(({ notRun }) => notRun !== undefined);
  const why = missing.length === 0 ? '' : ` (${missing.length} ${missing[0]!.notRun})`;
  const well = all.filter(({ misses, notRun }) => misses.length === 0 && notRun === undefined).length;
  return { text: `${well} of ${all.length} ${text}${why}`, held: well === all.length };
}

function groups(tried: readonly ClusterTried[], awayOf: (group: string) => string): string {
  const rows = [...Map.groupBy(tried, ({ group }) => group)].map(([group, all]) => {
    const ran = all.filter(({ notRun }) => notRun === undefined);
    const kept = aspects.map((aspect) =>
      ran.length === 0
        ? 'not run'
        : `${ran.filter(({ misses }) => !misses.some((miss) => miss.aspect === aspect)).length} ` +
          `of ${ran.length}`,
    );
    const happened = ran.flatMap((one) => Object.values(one.happened)).reduce((a, b) => a + b, 0);
    const absences = ran.reduce((all, one) => all + one.absences, 0);
    return [group, String(all.length), count(happened), awayOf(group), count(absences), ...kept];
  });
  return table(['fault', 'trials', 'faults', 'must cut off', 'cut off', ...aspects], rows);
}

function missesOf(tried: readonly ClusterTried[], part: string): string {
  const rows = tried
    .filter(({ misses }) => misses.length > 0)
    .map(({ number, group, what, misses }) => [
      String(number),
      group,
      cell(what),
      misses.map(({ aspect, text }) => cell(`${aspect}: ${text}`)).join('; '),
    ]);
  const repeat = `\`npm run validate -- --only ${part} --seed N\` repeats case N`;
  return rows.length === 0
    ? `Everything held. ${repeat}.`
    : `What did not hold; ${repeat}:\n\n${table(['case', 'fault', 'how', 'what did not hold'], rows)}`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
