// Deals events to servers as the publisher does (load/publisher/over-servers.ts): in turn, but a topic's next
// event goes to the same server while one of its events is not answered.

/** @returns the server of an event; calls come in the order of time */
export type InTurn = (atUs: number, topic: number) => number;

/** @param answerUs how long a server takes to answer the publisher */
export function createInTurn(servers: number, topics: number, answerUs: number): InTurn {
  if (servers === 1) return () => 0;
  const lastOf = new Uint16Array(topics);
  const answeredUs = new Float64Array(topics).fill(-Infinity);
  let turn = 0;
  return (atUs, topic) => {
    if (atUs >= answeredUs[topic]!) {
      lastOf[topic] = turn;
      turn = (turn + 1) % servers;
    }
    answeredUs[topic] = atUs + answerUs;
    return lastOf[topic]!;
  };
}
