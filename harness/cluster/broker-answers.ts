// Asks whether a broker answers at an address, in the fewest words of its protocol.

import { connect } from 'node:net';
import { addressOf } from '../../core/base/address.ts';
import { later } from '../../core/base/clock.ts';

const patienceMs = 1000;
/** The answer to a ping, or the demand for a password; a Redis that is still loading says `-LOADING`. */
const redisAnswer = /^(?:\+PONG|-NOAUTH|-NOPERM)/;
/** NATS speaks first. */
const natsAnswer = /^INFO /;

/** @param url `redis://...` or `nats://...` */
export function answers(url: string): Promise<boolean> {
  const speaksFirst = new URL(url).protocol === 'nats:';
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(addressOf(url));
  const clear = later(patienceMs, () => resolve(false));
  socket
    .on('error', () => resolve(false))
    .on('close', () => resolve(false))
    .once('connect', () => speaksFirst || socket.write('PING\r\n'))
    .once('data', (bytes) =>
      resolve((speaksFirst ? natsAnswer : redisAnswer).test(bytes.toString('latin1'))),
    );
  return promise.finally(() => {
    clear();
    socket.destroy();
  });
}
