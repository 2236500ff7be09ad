// Names the evidence that figures rest on. A metric says which evidence it rests on, and a warning says which
// evidence is void; figures that rest on other evidence stay valid.

import { listed } from '../base/suggest.ts';

/** Every kind of evidence that a trial has, in nouns that can be listed one after the other. */
const nouns = {
  latency: ['latencies'],
  losses: ['counts of deliveries'],
  requests: ['requests'],
  bytes: ['bytes'],
  wire: ['packets on the wire'],
  connections: ['reconnects', 'errors'],
  descriptors: ['descriptors'],
  'server-cpu': ["the server's CPU"],
  'client-cpu': ["the clients' CPU"],
  memory: ['memory'],
  backlog: ["the server's backlog"],
  pace: ['deliveries per second'],
} as const;

export type Evidence = keyof typeof nouns;
export const evidence = Object.keys(nouns) as Evidence[]; // it has no other keys

/** Where so few kinds stand, these are named and not the others. */
const fewStand = 2;

/** What it is for people: `latencies, reconnects and errors`, `everything but descriptors and memory`. */
export function evidenceText(kinds: readonly Evidence[]): string {
  const words = (of: readonly Evidence[]) => listed(of.flatMap((one) => nouns[one]));
  const others = evidence.filter((one) => !kinds.includes(one));
  if (others.length === 0) return 'everything';
  return others.length <= fewStand ? `everything but ${words(others)}` : words(kinds);
}
