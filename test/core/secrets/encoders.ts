// Writes a secret in the ways in which a system may repeat it: by the encoders of the language, and by ones
// that spell everything out.

import { stringify } from 'node:querystring';
import { inspect } from 'node:util';

type Encoder = (text: string) => string;

const bytes = (text: string) => [...Buffer.from(text)];
const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
const base64 =
  (encoding: 'base64' | 'base64url', before: number): Encoder =>
  (text) =>
    Buffer.from('?'.repeat(before) + text + '!'.repeat(before)).toString(encoding);
const html: Encoder = (text) =>
  text.replace(
    /[&<>"']/g,
    (one) => `&${{ '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": '#39' }[one]};`,
  );

export const encoders: Record<string, Encoder> = {
  'as it is': (text) => text,
  'lower case': (text) => text.toLowerCase(),
  'upper case': (text) =>
    text.toUpperCase().toLowerCase() === text.toLowerCase()
      ? text.replace(/[a-z]/g, (one) => one.toUpperCase())
      : text,
  JSON: (text) => JSON.stringify(text).slice(1, -1),
  'JSON with slashes escaped': (text) => JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/'),
  'JSON in ASCII': (text) =>
    JSON.stringify(text)
      .slice(1, -1)
      .replace(/[^\0-\x7f]/g, (unit) => `\\u${hex(unit.charCodeAt(0), 4)}`),
  'JSON, all in \\u': (text) =>
    Array.from({ length: text.length }, (_, i) => `\\u${hex(text.charCodeAt(i), 4).toUpperCase()}`).join(''),
  inspected: (text) => inspect(text).slice(1, -1),
  encodeURIComponent: encodeURIComponent,
  'encodeURIComponent, lower hex': (text) =>
    encodeURIComponent(text).replace(/%../g, (one) => one.toLowerCase()),
  encodeURI: encodeURI,
  'a form': (text) => new URLSearchParams({ k: text }).toString().slice(2),
  querystring: (text) => stringify({ k: text }).slice(2),
  'percent, every byte': (text) =>
    bytes(text)
      .map((byte) => `%${hex(byte, 2)}`)
      .join(''),
  'a word of a shell': (text) => text.replaceAll("'", String.raw`'\''`),
  YAML: (text) => text.replaceAll("'", "''"),
  HTML: html,
  'HTML, decimal': (text) => [...text].map((one) => `&#${one.codePointAt(0)};`).join(''),
  'HTML, hexadecimal': (text) => [...text].map((one) => `&#x${hex(one.codePointAt(0)!, 2)};`).join(''),
  hex: (text) => Buffer.from(text).toString('hex'),
  'upper hex': (text) => Buffer.from(text).toString('hex').toUpperCase(),
  'hex with colons': (text) =>
    bytes(text)
      .map((byte) => hex(byte, 2))
      .join(':'),
  'a header read as Latin-1': (text) => Buffer.from(text).toString('latin1'),
};
for (const before of [0, 1, 2]) {
  for (const encoding of ['base64', 'base64url'] as const)
    encoders[`${encoding} behind ${before} bytes`] = base64(encoding, before);
  encoders[`base64 without padding behind ${before} bytes`] = (text) =>
    base64('base64', before)(text).replaceAll('=', '');
}

/** The part of base64 that stands for nothing but the secret, whatever is around. */
export function coreOf(name: string, encoded: string): string {
  const before = /behind (\d)/.exec(name)?.[1];
  if (before === undefined) return encoded;
  return encoded.slice([0, 2, 3][Number(before)], encoded.replaceAll('=', '').length - 3);
}
