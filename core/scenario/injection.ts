// Parses and writes `--inject delay=5ms,loss=0.1%`, which makes a server worse on purpose to see whether a
// measurement notices. servers/inject.ts does it.

import { UserError } from '../base/errors.ts';
import { listNames, nearest } from '../base/suggest.ts';
import { parseDurationMs, parseShare, writeDuration } from '../base/units.ts';

export type Injection = {
  /** Every delivery leaves this much later. */
  delayMs?: number;
  /** The server is busy for this long with each delivery. */
  cpuUsPerMessage?: number;
  /** Descriptors that each subscriber's connection holds besides its own. */
  descriptorsPerConnection?: number;
  /** Share of the deliveries that are never made. */
  lossShare?: number;
  /** Share of the deliveries that are made twice. */
  duplicateShare?: number;
};

/** Longer ones would outlast any drain. */
const mostDelayMs = 60_000;
const mostCpuUs = 1_000_000;
const mostDescriptors = 100;

type Kind = {
  example: string;
  parse(text: string): Injection | undefined;
  write(injection: Injection): string | undefined;
};

const kinds: Readonly<Record<string, Kind>> = {
  delay: {
    example: 'delay=5ms',
    parse(text) {
      const ms = parseDurationMs(text);
      return ms !== undefined && ms >= 1 && ms <= mostDelayMs ? { delayMs: ms } : undefined;
    },
    write: ({ delayMs }) => (delayMs === undefined ? undefined : writeDuration(delayMs)),
  },
  cpu: {
    example: 'cpu=50us/msg',
    parse(text) {
      const us = text.endsWith('/msg')
        ? (parseDurationMs(text.slice(0, -'/msg'.length)) ?? Number.NaN) * 1000
        : Number.NaN;
      return us > 0 && us <= mostCpuUs ? { cpuUsPerMessage: us } : undefined;
    },
    write: ({ cpuUsPerMessage }) => (cpuUsPerMessage === undefined ? undefined : `${cpuUsPerMessage}us/msg`),
  },
  descriptors: {
    example: 'descriptors=1/connection',
    parse(text) {
      const extra = Number(/^(\d{1,3})\/connection$/.exec(text)?.[1]);
      return extra >= 1 && extra <= mostDescriptors ? { descriptorsPerConnection: extra } : undefined;
    },
    write: ({ descriptorsPerConnection }) =>
      descriptorsPerConnection === undefined ? undefined : `${descriptorsPerConnection}/connection`,
  },
  loss: shareKind(
    'loss',
    (lossShare) => ({ lossShare }),
    ({ lossShare }) => lossShare,
  ),
  duplicates: shareKind(
    'duplicates',
    (duplicateShare) => ({ duplicateShare }),
    ({ duplicateShare }) => duplicateShare,
  ),
};

function shareKind(
  name: string,
  make: (share: number) => Injection,
  read: (injection: Injection) => number | undefined,
): Kind {
  return {
    example: `${name}=0.1%`,
    parse(text) {
      const share = parseShare(text);
      return share !== undefined && share > 0 && share <= 1 ? make(share) : undefined;
    },
    write(injection) {
      const share = read(injection);
      return share === undefined ? undefined : `${Number((share * 100).toPrecision(12))}%`;
    },
  };
}

/**
 * `delay=5ms,loss=0.1%` -> what it asks for.
 * @throws UserError for a setting that there is none of, or a value that it cannot have
 */
export function parseInjection(text: string): Injection {
  const injection: Injection = {};
  for (const part of text.split(',')) {
    const [name = '', value = ''] = part.trim().split(/=(.*)/s);
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (!kind) {
      const near = nearest(name, Object.keys(kinds));
      throw new UserError(
        'inject',
        `There is nothing called "${name}" to inject; ` +
          (near ? `did you mean "${near}"?` : `there are: ${listNames(Object.keys(kinds))}`),
      );
    }
    const one = kind.parse(value);
    if (!one)
      throw new UserError(
        'inject',
        `"${name}=${value}" cannot be injected: write it like ${kind.example}` +
          (name === 'delay' ? ` (at least 1ms, at most ${writeDuration(mostDelayMs)})` : '') +
          '.',
      );
    Object.assign(injection, one);
  }
  return injection;
}

/** The setting in the form in which it is written, in a fixed order. */
export function writeInjection(injection: Injection): string {
  return Object.entries(kinds)
    .flatMap(([name, kind]) => {
      const value = kind.write(injection);
      return value === undefined ? [] : [`${name}=${value}`];
    })
    .join(',');
}
