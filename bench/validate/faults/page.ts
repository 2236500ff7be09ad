// Makes claims and tables of the cases that were tried. Pure.

import { table, type Claim, type Outcome } from '../part.ts';
import { aspects, endLimitMs, type Miss } from './judge.ts';

export type Tried = {
  kind: 'harness' | 'child' | 'store' | 'broker' | 'end' | 'shortage';
  number: number;
  /** Cases of one group are one row. */
  group: string;
  /** When it was hit and what was running, in words; empty where the number says it. */
  moment: string;
  misses: readonly Miss[];
  /** Why it could not be tried. */
  notRun?: string;
};

const account = "exit code, nothing left, the result's own account, ledger";
const claims: Readonly<Record<Tried['kind'], string>> = {
  harness: `kills and stops of the harness held: ${account}`,
  child:
    `kills and stops of server, load and publisher held: ${account}, ` +
    'the trial failed by the name of its process',
  store: 'kills of a webhook server on SQLite lost no confirmed delivery and repeated none that was settled',
  broker:
    'kills and stops of Redis under a webhook server lost nothing that was taken, delivered nothing that ' +
    'was refused, made one event of each key and left no gap in the ' +
    'sequence; each publication was answered in time',
  end:
    `runs that were asked to end at a random moment were gone within ${endLimitMs / 1000} s, with exit ` +
    'code 130, nothing left and a result that says what is missing',
  shortage:
    'shortages ended in a sentence and the documented exit code: nothing lost, nothing left, no stack trace',
};

export function faultsOutcome(tried: readonly Tried[], scenario: string): Outcome {
  return { claims: claimsOf(tried), markdown: markdownOf(tried, scenario) };
}

function claimsOf(tried: readonly Tried[]): Claim[] {
  const kinds = Object.keys(claims) as Tried['kind'][]; // of the record above
  return kinds.flatMap((kind) => {
    const all = tried.filter((one) => one.kind === kind);
    if (all.length === 0) return [];
    const missing = all.filter(({ notRun }) => notRun !== undefined);
    const why = missing.length === 0 ? '' : ` (${missing.length} ${missing[0]!.notRun})`;
    const held = all.filter(isHeld).length;
    return [{ text: `${held} of ${all.length} ${claims[kind]}${why}`, held: held === all.length }];
  });
}

function isHeld({ misses, notRun }: Tried): boolean {
  return misses.length === 0 && notRun === undefined;
}

function markdownOf(tried: readonly Tried[], scenario: string): string {
  const groups = Map.groupBy(tried, ({ group }) => group);
  const rows = [...groups].map(([group, all]) => {
    const ran = all.filter(({ notRun }) => notRun === undefined);
    const kept = aspects.map((aspect) =>
      ran.length === 0
        ? 'not run'
        : `${ran.filter(({ misses }) => !misses.some((miss) => miss.aspect === aspect)).length} ` +
          `of ${ran.length}`,
    );
    return [group, String(all.length), ...kept];
  });
  return [
    'Each case is a run of its own of two short trials, of two patterns that are drawn too, and is hit ' +
      `at a moment drawn by its number. The trials: \`${oneLine(scenario)}\`. Memory is taken away by ` +
      '`prlimit --as`, which lets a process have no more than it has; Redis writes each command to disk ' +
      '(`appendfsync always`).',
    table(['who and how', 'cases', ...aspects], rows),
    missesOf(tried),
  ].join('\n\n');
}

function missesOf(tried: readonly Tried[]): string {
  const rows = tried
    .filter(({ misses }) => misses.length > 0)
    .map(({ number, group, moment, misses }) => [
      String(number),
      `${group}${moment === '' ? '' : `, ${moment}`}`,
      misses.map(({ aspect, text }) => cell(`${aspect}: ${text}`)).join('; '),
    ]);
  if (rows.length === 0)
    return 'Everything held. `npm run validate -- --only faults --seed N` repeats case N.';
  return (
    'What did not hold; `npm run validate -- --only faults --seed N` repeats case N:\n\n' +
    `${table(['case', 'what', 'what did not hold'], rows)}`
  );
}

function oneLine(scenario: string): string {
  return scenario.trim().split('\n').slice(1).join('; ');
}

/** Text in a table: no line ends, nothing that Markdown would take for markup. */
export function cell(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_[\]~#<>|]/g, (one) => `&#${one.charCodeAt(0)};`)
    .slice(0, 300);
}
