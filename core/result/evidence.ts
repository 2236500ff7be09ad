// Names what figures rest on. A metric says what it rests on, and a warning that spoils a trial says which of
// it is void; the figures that rest on anything else stand.

/** Every kind of evidence that a trial has, with what it is for people. */
export const evidenceWords = {
  latency: 'latencies',
  losses: 'what was delivered, missed, duplicated and reordered',
  requests: 'requests',
  bytes: 'bytes',
  wire: 'bytes and packets on the wire',
  connections: 'reconnects and errors',
  descriptors: 'descriptors',
  'server-cpu': "the server's CPU",
  'client-cpu': "the clients' CPU",
  memory: 'memory',
  backlog: "the server's backlog",
  pace: 'deliveries a second',
} as const;

export type Evidence = keyof typeof evidenceWords;
export const evidence = Object.keys(evidenceWords) as Evidence[]; // it has no other keys
