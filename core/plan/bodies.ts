// Makes event bodies: generated JSON of an exact size, or a real body from a corpus. Pure; the harness
// reads corpora from files and packages.

import type { PublishPlan } from './publish-plan.ts';
import { random, type Random } from '../base/random.ts';

/** The body of event `i`: the same text whenever it is asked for, in whichever process. */
export function bodyOf(plan: PublishPlan, i: number, seed: number): string {
  const body = plan.body[i]!;
  return body >= 0 ? plan.corpus[body]! : generateBody(-body, random(seed, `body:${i}`));
}

/**
 * JSON of exactly `sizeBytes` bytes in UTF-8, on one line.
 *
 * It compresses as the JSON of APIs does: a list of records with the same keys over and over, and values of
 * each common kind: numbers and hex digits that do not repeat, times and addresses that share their
 * beginning, text of words. Some words lie outside ASCII, so that a byte is not always a character. Sizes too
 * small for one record are a text alone, and from 10 down a JSON string or digit.
 */
export function generateBody(sizeBytes: number, next: Random): string {
  if (sizeBytes < 1) throw new RangeError(`no JSON has ${sizeBytes} bytes`);
  if (sizeBytes === 1) return String(Math.floor(next() * 10));
  if (sizeBytes < '{"text":""}'.length) return `"${letters(sizeBytes - 2, next)}"`;

  const head = '{"items":[';
  let records = '';
  let leftBytes = sizeBytes - head.length - '],"text":""}'.length;
  for (;;) {
    const piece = (records === '' ? '' : ',') + record(next);
    const bytes = Buffer.byteLength(piece);
    if (bytes > leftBytes) break;
    records += piece;
    leftBytes -= bytes;
  }
  if (records === '') return `{"text":"${prose(sizeBytes - '{"text":""}'.length, next)}"}`;
  return `${head}${records}],"text":"${prose(leftBytes, next)}"}`;
}

const firstMs = Date.UTC(2026, 0, 1);
const states = ['open', 'closed', 'pending', 'merged'];

function record(next: Random): string {
  const id = whole(next, 1e9);
  const at = new Date(firstMs + whole(next, 31_536_000) * 1000).toISOString();
  const owner = pick(words, next);
  const url = `https://api.example.com/${owner}/items/${id}`;
  return (
    `{"id":${id},"key":"${hex(next)}${hex(next)}","state":"${pick(states, next)}","at":"${at}",` +
    `"owner":"${owner}",` +
    `"url":"${url}","comments_url":"${url}/comments","amount":${whole(next, 1e5) / 100},` +
    `"private":${next() < 0.5},` +
    `"title":"${Array.from({ length: 4 }, () => pick(words, next)).join(' ')}"}`
  );
}

/** Words and spaces of exactly that many bytes. */
function prose(bytes: number, next: Random): string {
  let text = '';
  let left = bytes;
  while (left > 12) {
    const piece = `${pick(words, next)} `;
    text += piece;
    left -= Buffer.byteLength(piece);
  }
  return text + letters(left, next);
}

function letters(count: number, next: Random): string {
  return Array.from({ length: count }, () => String.fromCharCode(0x61 + whole(next, 26))).join('');
}

function hex(next: Random): string {
  return whole(next, 2 ** 32)
    .toString(16)
    .padStart(8, '0');
}

function whole(next: Random, below: number): number {
  return Math.floor(next() * below);
}

function pick(list: readonly string[], next: Random): string {
  return list[whole(next, list.length)]!;
}

/** None longer than 11 bytes. */
const words = (
  'account action added amount answer archive article assigned author backup balance basket batch billing ' +
  'board branch broker budget build cache café cancel card catalog change channel charge check client ' +
  'cloud cluster comment commit common company contact content copy country coupon cover created credit ' +
  'crème current customer daily data date delayed deliver deploy desk device draft driver edition email ' +
  'empty entry error event expired export façade failed feature filter finance first folder forum friend ' +
  'garden gateway german group guide history hotel house image import index inside invoice issue item ' +
  'journal June key label language later launch leader letter level library license limit list local log ' +
  'Malmö manager market master media member menu merge message mobile model module monday month naïve ' +
  'network news next night notice number office online open order owner package page paid paper parcel ' +
  'park part payment person phone photo plan player point policy price print private product profile ' +
  'project public question queue quick quote radio rate reader ready reason record refund region release ' +
  'remote renew reply report request résumé review river route salary sample saved school search season ' +
  'second secure seller server service session shipment shop signal simple single size söt source space ' +
  'staff stage station status stock store stream street student summer support survey system table target ' +
  'team tenant test ticket time title today token topic total track trade train transfer travel trial ' +
  'tunnel update upload user value vendor version video view visit voucher wallet warning week weekend ' +
  'weight window winter worker world yearly zero zone Zürich'
).split(' ');
