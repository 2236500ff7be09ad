// Reads the extensions that a WebSocket client offers (RFC 6455, section 9.1) and keeps only one that can be
// accepted: `permessage-deflate` with the parameters of RFC 7692. An offer with other parameters is declined
// by not naming it in the answer, and the connection continues without compression (sections 5.1 and 7.1).
// The `ws` library would refuse the whole handshake instead.

import type { IncomingMessage } from 'node:http';
import { RequestError } from '../http/request.ts';

type Offer = { name: string; parameters: [name: string, value: string | undefined][] };

/**
 * Removes all extensions from a handshake but the first that can be accepted.
 * @throws RequestError 400 when the field is malformed
 */
export function keepUsableOffer({ headers }: Pick<IncomingMessage, 'headers'>): void {
  const given = headers['sec-websocket-extensions'];
  if (given === undefined) return;
  const offers = offersIn(given);
  if (!offers)
    throw new RequestError(400, 'bad-handshake', 'Sec-WebSocket-Extensions is not a list of extensions');
  const usable = offers.find(isUsable);
  if (usable) headers['sec-websocket-extensions'] = textOf(usable);
  else delete headers['sec-websocket-extensions'];
}

const windowBits = /^(?:[89]|1[0-5])$/;
const isBare = (value: string | undefined) => value === undefined;

/** What each parameter of an offer may say (RFC 7692, section 7.1). */
const parameters = new Map<string, (value: string | undefined) => boolean>([
  ['server_no_context_takeover', isBare],
  ['client_no_context_takeover', isBare],
  ['server_max_window_bits', (value = '') => windowBits.test(value)],
  ['client_max_window_bits', (value) => value === undefined || windowBits.test(value)],
]);

function isUsable({ name, parameters: given }: Offer): boolean {
  if (name !== 'permessage-deflate') return false;
  if (new Set(given.map(([one]) => one)).size < given.length) return false;
  return given.every(([one, value]) => parameters.get(one)?.(value) ?? false);
}

function textOf({ name, parameters: given }: Offer): string {
  return [name, ...given.map(([one, value]) => (value === undefined ? one : `${one}=${value}`))].join('; ');
}

/** A name or a parameter, and what stands behind it: the value is a token or a quoted string of one. */
const part =
  /[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*(?:=[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"((?:[^"\\]|\\.)*)"))?[ \t]*([;,]|$)/y;

/** @returns undefined when the text is malformed */
function offersIn(text: string): Offer[] | undefined {
  const offers: Offer[] = [];
  let offer: Offer | undefined;
  part.lastIndex = 0;
  do {
    const [, name, token, quoted, end] = part.exec(text) ?? [];
    if (name === undefined) return undefined;
    const value = token ?? quoted?.replace(/\\(.)/g, '$1');
    if (offer) offer.parameters.push([name, value]);
    else if (value !== undefined) return undefined;
    else offers.push((offer = { name, parameters: [] }));
    if (end === ',') offer = undefined;
    else if (end === ';' && part.lastIndex === text.length) return undefined;
  } while (part.lastIndex < text.length);
  return offers;
}
