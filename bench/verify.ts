// Times how long a receiver takes to verify a delivery of Standard Webhooks, beside the library
// `standardwebhooks`, over bodies of several sizes.

import { Webhook } from 'standardwebhooks';
import { median } from '../core/base/median.ts';
import { schemes, sign } from '../receiver/index.ts';

const rounds = 15;
const roundMs = 60;

export function main(): Promise<void> {
  const { newSecret, key, verify } = schemes.standard;
  const secret = newSecret();
  const keys = [key(secret)];
  const library = new Webhook(secret);
  for (const sizeBytes of [200, 2000, 20_000, 200_000]) {
    const text = JSON.stringify({ text: 'x'.repeat(sizeBytes - 11) });
    const body = Buffer.from(text);
    const headers = sign({ scheme: 'standard', secret, body });
    const ours = () => {
      if (!verify(keys, headers, body).ok) throw new Error('refused');
    };
    const theirs = () => void library.verify(body, headers, { jsonParse: false });
    const [us, themUs] = inTurns(ours, theirs);
    console.log(
      `verify, body of ${body.length} bytes: ${us.toFixed(1)} µs; standardwebhooks ${themUs.toFixed(1)} µs ` +
        `(${(themUs / us).toFixed(1)} times as long)`,
    );
  }
  return Promise.resolve();
}

/** Medians of rounds that take turns, in microseconds a call. */
function inTurns(one: () => void, other: () => void): [oneUs: number, otherUs: number] {
  const taken: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds; i++)
    for (const [j, call] of [one, other].entries()) taken[j]!.push(callUs(call));
  return [median(taken[0]), median(taken[1])];
}

function callUs(call: () => void): number {
  const from = performance.now();
  let calls = 0;
  let now = from;
  for (; now - from < roundMs; now = performance.now()) for (let i = 0; i < 20; i++, calls++) call();
  return ((now - from) / calls) * 1000;
}
