// Reads the flags of `pushbench plan` into a question: every mistake, and all that is missing, at once, each
// with an example.

import { UserError } from '../core/base/errors.ts';
import { nearest } from '../core/base/suggest.ts';
import {
  formatNumber,
  parseDurationMs,
  parseRatePerS,
  parseSizeBytes,
  writeDuration,
} from '../core/base/units.ts';
import type { Prices } from '../core/capacity/prices.ts';
import type { Question } from '../core/capacity/question.ts';
import { largestBodyBytes } from '../core/event/body-size.ts';

export type QuestionFlags = {
  subscribers?: string;
  events?: string;
  topics?: string;
  latencyP99?: string;
  payload?: string;
  interval?: string;
  descriptors?: string;
  serverMemory?: string;
};

const example = 'plan --subscribers 1000000 --events 1/s --topics shared --latency-p99 1s';
const most = { subscribers: 1e9, perS: 1e5, durationMs: 86_400_000, descriptors: 1e9 };
/** Once in a hundred days. */
const leastEvents = '0.01/d';
const leastIntervalMs = 100;
/** Where no price file says what a machine has. */
const usualMemory = '4GB';

/**
 * @returns the question, and each value that was assumed because its flag was left out
 * @throws UserError `plan` with all mistakes, a line each
 */
export function questionOf(
  flags: QuestionFlags,
  prices: Prices | undefined,
): { question: Question; assumed: string[] } {
  const mistakes: string[] = [];
  const assumed: string[] = [];
  /** @param what such as `--events 1/s` shows: what may be written */
  const read = (flag: string, text: string | undefined, usual: string | undefined, rule: Rule): number => {
    if (text === undefined && usual === undefined) {
      mistakes.push(`--${flag} is missing: ${rule.what}.`);
      return 1;
    }
    if (text === undefined) assumed.push(`--${flag} ${usual}`);
    const value = rule.parse(text ?? usual!);
    if (value !== undefined && value >= rule.least && value <= rule.most) return value;
    mistakes.push(`--${flag} ${text ?? usual}: ${rule.what}${rule.range}.`);
    return 1;
  };
  const memory = prices && prices.prices.serverHour.memory / prices.prices.serverHour.cores;
  const question: Question = {
    subscribers: read('subscribers', flags.subscribers, undefined, {
      what: 'say how many clients there are, such as --subscribers 1000000',
      range: `, at most ${formatNumber(most.subscribers)}`,
      parse: wholeNumber,
      least: 1,
      most: most.subscribers,
    }),
    eventsPerS: read('events', flags.events, undefined, {
      what: 'say how many events each subscriber gets, with the unit, such as --events 1/s or --events 6/m',
      range: `, from ${leastEvents} to ${formatNumber(most.perS)}/s`,
      parse: parseRatePerS,
      least: parseRatePerS(leastEvents)!,
      most: most.perS,
    }),
    topics: topicsOf(flags.topics, mistakes),
    latencyP99Us:
      read('latency-p99', flags.latencyP99, undefined, {
        what: 'say how late 99 of 100 deliveries may be, with the unit, such as --latency-p99 1s',
        range: ', from 1ms to 1d',
        parse: parseDurationMs,
        least: 1,
        most: most.durationMs,
      }) * 1000,
    payloadBytes: read('payload', flags.payload, '256B', {
      what: 'write a size with its unit, such as --payload 512B',
      range: ', from 1B to 8MiB',
      parse: parseSizeBytes,
      least: 1,
      most: largestBodyBytes,
    }),
    pollEveryMs: read('interval', flags.interval, '5s', {
      what: 'write how often pollers ask, such as --interval 5s',
      range: `, from ${writeDuration(leastIntervalMs)} to 1d`,
      parse: parseDurationMs,
      least: leastIntervalMs,
      most: most.durationMs,
    }),
    descriptors: read('descriptors', flags.descriptors, '65535', {
      what: 'write a number, such as --descriptors 65535',
      range: '',
      parse: wholeNumber,
      least: 1,
      most: most.descriptors,
    }),
    memoryBytes: read(
      'server-memory',
      flags.serverMemory,
      memory === undefined ? usualMemory : sizeText(memory),
      {
        what: 'write the memory of a server process with its unit, such as --server-memory 4GB',
        range: prices
          ? `, at most the ${formatNumber(prices.prices.serverHour.memory)} bytes ` +
            'of the machine in the price file'
          : '',
        parse: parseSizeBytes,
        least: 1,
        most: prices?.prices.serverHour.memory ?? 2 ** 50,
      },
    ),
  };
  if (mistakes.length > 0) throw new UserError('plan', [...mistakes, `An example: ${example}`].join('\n'));
  return { question, assumed };
}

type Rule = {
  what: string;
  /** What may be written, as the end of a sentence. */
  range: string;
  parse(text: string): number | undefined;
  least: number;
  most: number;
};

function topicsOf(given: string | undefined, mistakes: string[]): Question['topics'] {
  if (given === 'shared' || given === 'private') return given;
  const near = given === undefined ? undefined : nearest(given, ['shared', 'private']);
  mistakes.push(
    given === undefined
      ? '--topics is missing: say --topics shared (all get the same events) or --topics private (its own ' +
          'for each).'
      : `--topics ${given}: there is no such word${near ? `; did you mean "${near}"?` : '.'} ` +
          'Write shared or private.',
  );
  return 'shared';
}

/** As a flag takes it: `4GB`, and bytes where that is not a whole number of them. */
function sizeText(bytes: number): string {
  return bytes % 1e9 === 0 ? `${bytes / 1e9}GB` : `${Math.floor(bytes)}B`;
}

/** `1,000,000` and `1000000`. */
function wholeNumber(text: string): number | undefined {
  return /^\d+(,\d{3})*$/.test(text) ? Number(text.replaceAll(',', '')) : undefined;
}
