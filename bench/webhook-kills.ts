// Kills webhook servers 500 times at random moments and closes the ledger: one server on SQLite, then one of
// two on a Redis, one of three on a queue of SQS and one of three on Kafka (emulators), a fifth as often.
// Bound: nothing that was confirmed is lost, and every repetition is an attempt whose outcome was not stored
// when its server died. PUSHBENCH_BENCH_STORE=kafka runs that store alone.

import { random } from '../core/base/random.ts';
import { missingFor, type KillStore } from '../test/servers/webhook/kill-stores.ts';
import { killRepeatedly } from '../test/servers/webhook/kills.ts';

const kills = Number(process.env['PUSHBENCH_BENCH_KILLS'] ?? 500);

export async function main(): Promise<void> {
  const shared: readonly KillStore[] = ['redis', 'sqs', 'kafka'];
  const chosen = process.env['PUSHBENCH_BENCH_STORE'];
  for (const store of (['sqlite', ...shared] as const).filter(
    (one) => chosen === undefined || one === chosen,
  )) {
    if (missingFor[store] !== false) console.log(`${store}: ${missingFor[store]}`);
    else await report(store, store === 'sqlite' ? kills : Math.ceil(kills / 5));
  }
}

async function report(store: KillStore, times: number): Promise<void> {
  const { confirmed, endpoints, deliveries, lost, duplicates, foretold, unexplained } = await killRepeatedly(
    store,
    times,
    random(1, 'kills'),
    150,
  );
  console.log(
    `${store}, ${times} kills: ${confirmed} events confirmed, each to ${endpoints} endpoints; ` +
      `${deliveries} requests received`,
  );
  console.log(
    `lost: ${lost} (bound: 0); repeated: ${duplicates}, of which ${unexplained} without a reason (bound: ` +
      '0); ' +
      (store === 'sqlite' ? 'foretold by the store' : 'possible by the store') +
      `: ${foretold}`,
  );
}
