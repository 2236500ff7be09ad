// Kills the webhook server 500 times at random moments and closes the ledger. Bound: nothing that was confirmed is
// lost, and every repetition is an attempt whose outcome was not stored when the server died.

import { random } from '../core/random.ts';
import { killRepeatedly } from '../test/servers/webhook/kills.ts';

const kills = Number(process.env['PUSHBENCH_BENCH_KILLS'] ?? 500);

export async function main(): Promise<void> {
  const { confirmed, endpoints, deliveries, lost, duplicates, foretold, unexplained } = await killRepeatedly(kills, random(1, 'kills'), 150);
  console.log(`${kills} kills: ${confirmed} events confirmed, each to ${endpoints} endpoints; ${deliveries} requests received`);
  console.log(`lost: ${lost} (bound: 0); repeated: ${duplicates}, of which ${unexplained} without a reason (bound: 0); foretold by the store: ${foretold}`);
}
