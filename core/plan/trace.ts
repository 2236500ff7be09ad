// Reads traces: recordings of when events happened and how large they were. Which of their events a schedule
// takes is schedule.ts.

import { UserError } from '../base/errors.ts';
import { formatNumber } from '../base/units.ts';
import { largestBodyBytes } from '../event/body-size.ts';
import type { Trace } from '../scenario/arrivals.ts';

/** A plan holds 16 bytes an event here, in the harness and on the way between, so it has to end somewhere. */
export const maxEvents = 20_000_000;

/** A recording of a year; no run lasts as long. */
const longestUs = 366 * 86_400e6;

/** Lines named in one message. */
const mostNamed = 10;
const traceForm = 'a time, a comma and a size in bytes, such as "0.25,512"';
const headLine = /^(seconds|time|timestamp)\s*,\s*(bytes|size)$/i;
const dated = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?$/;

/**
 * What a time may be, by how large its number is: a recording lasts a year at most, and 1970 is longer
 * ago. `unitUs` is how many microseconds one of it is.
 */
const numbers = [
  { below: 1e8, says: 'seconds since the first event', unitUs: 1e6 },
  { below: 1e11, says: 'seconds since 1970', unitUs: 1e6 },
  { below: 1e14, says: 'milliseconds since 1970', unitUs: 1e3 },
  { below: 1e17, says: 'microseconds since 1970', unitUs: 1 },
  { below: 1e20, says: 'nanoseconds since 1970', unitUs: 1e-3 },
] as const;
const [relative] = numbers;

/** A time as it stands, and what kind it is; times of one kind can be told apart. */
type Time = { value: number; says: string; unitUs: number };

/**
 * Reads a trace: a line for each event, `time,bytes`. Times never go back, and all are of one kind: seconds
 * since the start of the recording, or moments (since 1970 or as a date), of which the first is the start.
 * Empty lines are skipped, as is a first line of column names.
 * @param file what to call it in errors
 * @param most events, for tests
 * @throws UserError `trace-invalid`, naming each bad line by its number, the first ten. It quotes none: what
 *   cannot be read as a trace may be any file
 */
export function parseTrace(text: string, file: string, most = maxEvents): Trace {
  const offsetUs: number[] = [];
  const sizeBytes: number[] = [];
  const named: string[] = [];
  let wrong = 0;
  let fitting = 0;
  let first: Time | undefined;
  const refuse = (line: number, why: string) => {
    if (++wrong <= mostNamed) named.push(`${file}:${line}: ${why}`);
  };
  for (let from = 0, number = 1; from <= text.length; number++) {
    // Not split(): a list of all lines would take more memory than the text.
    const end = text.indexOf('\n', from);
    const line = text.slice(from, end === -1 ? text.length : end).trim();
    from = end === -1 ? Infinity : end + 1;
    if (line === '' || (number === 1 && headLine.test(line))) continue;
    const [, when = '', size] = /^([^,]+?)\s*,\s*(\d+)$/.exec(line) ?? [];
    const time = timeOf(when, first);
    const bytes = Number(size);
    if (time === undefined) {
      refuse(number, `this is not ${traceForm}`);
      continue;
    }
    fitting++;
    first ??= time;
    const atUs = Math.round((time.value - (first.says === relative.says ? 0 : first.value)) * first.unitUs);
    if (time.says !== first.says)
      refuse(number, `the time is in ${time.says}, and those above are in ${first.says}`);
    else if (atUs < (offsetUs.at(-1) ?? 0)) {
      refuse(number, 'the time is earlier than in the line above; times must not go back');
    } else if (atUs > longestUs)
      refuse(number, `the time lies more than ${longestUs / 1e6} s after the start`);
    else if (bytes < 1 || bytes > largestBodyBytes) {
      refuse(
        number,
        `a body has 1 to ${formatNumber(largestBodyBytes)} bytes, and this one has ` +
          (bytes < 1 ? 'none' : 'more'),
      );
    } else if (offsetUs.length === most) {
      const message =
        `${file} holds more than ${formatNumber(most)} events, ` +
        'the most that can be planned; use a part of it';
      throw new UserError('trace-invalid', message);
    } else {
      offsetUs.push(atUs);
      sizeBytes.push(bytes);
    }
  }
  if (wrong > 0 && fitting === 0) {
    throw new UserError('trace-invalid', `${file} is not a trace: none of its lines is ${traceForm}`);
  }
  if (offsetUs.length === 0 && wrong === 0)
    named.push(`${file}: no events; write a line "seconds,bytes" for each`);
  if (wrong > mostNamed) named.push(`${file}: and ${wrong - mostNamed} more lines like these`);
  if (named.length > 0) throw new UserError('trace-invalid', named.join('\n'));
  return {
    offsetUs: Float64Array.from(offsetUs),
    sizeBytes: Int32Array.from(sizeBytes),
    timesAre: first!.says, // a trace has an event
  };
}

/** @param first of the trace: its kind holds for a number that could be of two */
function timeOf(text: string, first: Time | undefined): Time | undefined {
  const isDated = text[4] === '-'; // asked of millions of lines
  const [, day, clock, fraction = '', zone = 'Z'] = (isDated ? dated.exec(text) : undefined) ?? [];
  if (day !== undefined) {
    const ms = Date.parse(`${day}T${clock}${zone}`);
    if (Number.isNaN(ms)) return undefined;
    return { value: ms / 1000 + Number(`0${fraction}`), says: 'dates', unitUs: 1e6 };
  }
  if (!/^\d+(?:\.\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  // A number too large for a recording stays one where the others are times since its start.
  const kind = first?.says === relative.says ? relative : numbers.find(({ below }) => value < below);
  return { value, ...(kind ?? relative) };
}
