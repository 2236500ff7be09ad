// Writes the lines of `pushbench follow`: one for each event, for people or as JSON.

import { parseJson } from '../core/base/json.ts';
import { oneLine } from '../core/base/printable.ts';
import { formatNumber, formatUs } from '../core/base/units.ts';
import type { Received } from '../load/follow/follow.ts';
import type { Noted } from '../load/follow/tally.ts';

/** Of a body for people; `--json` has the whole of it. */
const longestShown = 2000;

/** `12:03:04.123  news #12  0.8 ms  {"headline":"it works"}` */
export function textLine({ text, type, id, binary, envelope }: Received, noted: Noted): string {
  const at = new Date();
  const clock = `${at.toTimeString().slice(0, 8)}.${String(at.getMilliseconds()).padStart(3, '0')}`;
  const parts = envelope
    ? [`${envelope.topic} #${envelope.seq}`, timing(noted), cut(envelope.body)]
    : [type ?? '', id ?? '', binary ? `binary, in base64: ${cut(text)}` : cut(text)];
  return oneLine([clock, ...parts.filter((part) => part !== '')].join('  '));
}

function timing({ latencyUs, replayed, repeated }: Noted): string {
  const marks = [replayed ? 'replayed' : '', repeated ? 'again' : ''].filter((mark) => mark !== '');
  return [...(latencyUs === undefined ? [] : [formatUs(latencyUs)]), ...marks].join(' ');
}

function cut(text: string): string {
  if (text.length <= longestShown) return text;
  return `${text.slice(0, longestShown)}… (${formatNumber(text.length)} characters)`;
}

/** `{"at":"...","topic":"news","seq":12,"id":"...","latencyUs":800,"body":{...}}`, the body as sent. */
export function jsonLine({ text, type, id, binary, envelope }: Received, noted: Noted): string {
  const { latencyUs, replayed, repeated } = noted;
  const fields = {
    at: new Date().toISOString(),
    ...(envelope
      ? { topic: envelope.topic, seq: envelope.seq, id: envelope.id }
      : { ...(type !== undefined && { type }), ...(id !== undefined && { id }) }),
    ...(latencyUs !== undefined && { latencyUs }),
    ...(replayed && { replayed }),
    ...(repeated && { repeated }),
  };
  const [name, value]: [string, string] = binary
    ? ['base64', JSON.stringify(text)]
    : bodyOf(envelope?.body ?? text);
  return escaped(`${JSON.stringify(fields).slice(0, -1)},"${name}":${value}}`);
}

/** JSON stands there as it came, so that no number is changed; other text as a string. */
function bodyOf(body: string): [name: string, value: string] {
  const isJson = !/[\r\n]/.test(body) && !('problem' in parseJson(body));
  return isJson ? ['body', body] : ['text', JSON.stringify(body)];
}

/** Escapes characters that control a terminal; they can only stand inside JSON strings. */
function escaped(line: string): string {
  return line.replace(/[\u007f-\u009f]/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`);
}
