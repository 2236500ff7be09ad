// Asks whether a broker answers at an address, in the fewest words of its protocol.

import { connect } from 'node:net';
import { addressOf } from '../../core/base/address.ts';
import { later } from '../../core/base/clock.ts';

const patienceMs = 1000;
/** The answer to a ping, or the demand for a password; a Redis that is still loading says `-LOADING`. */
const redisAnswer = /^(?:\+PONG|-NOAUTH|-NOPERM)/;
/** NATS speaks first. */
const natsAnswer = /^INFO /;
/** Kafka is asked which versions it speaks (ApiVersions, key 18, version 0), and answers by our number. */
const kafkaNumber = 7;
const kafkaAnswer = new RegExp(`^[^]{4}\\0\\0\\0${String.fromCharCode(kafkaNumber)}`);
const kafkaQuestion = Buffer.concat([
  Buffer.from([0, 0, 0, 10 + 9, 0, 18, 0, 0, 0, 0, 0, kafkaNumber, 0, 9]),
  Buffer.from('pushbench'),
]);

const protocols: Readonly<Record<string, { says?: string | Buffer; answer: RegExp }>> = {
  'redis:': { says: 'PING\r\n', answer: redisAnswer },
  'nats:': { answer: natsAnswer },
  'kafka:': { says: kafkaQuestion, answer: kafkaAnswer },
};

/** @param url `redis://...`, `nats://...` or `kafka://...` */
export function answers(url: string): Promise<boolean> {
  const { says, answer } = protocols[new URL(url).protocol]!; // the scenario's schema knows no other
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(addressOf(url));
  const clear = later(patienceMs, () => resolve(false));
  socket
    .on('error', () => resolve(false))
    .on('close', () => resolve(false))
    .once('connect', () => says && socket.write(says))
    .once('data', (bytes) => resolve(answer.test(bytes.toString('latin1'))));
  return promise.finally(() => {
    clear();
    socket.destroy();
  });
}
