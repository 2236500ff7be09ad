// Reads files that people name: regular files alone, up to a stated size, whole and as text. The one place of
// core that touches files, because harness, reports and cli read them by one rule and share nothing but core.
//
// A path may lead anywhere: to a device without an end, to a pipe that nobody writes to, to a file that
// grows. None of them may hang the process or fill its memory, and a message about a file quotes nothing of
// it, because the wrong file may have been named.

import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  statSync,
  type Stats,
} from 'node:fs';
import { manyBodiesBytes } from '../event/body-size.ts';
import { messageOf, UserError } from './errors.ts';
import { formatBytes, formatNumber } from './units.ts';

const KiB = 1024;
const MiB = 1024 ** 2;

/**
 * Each kind of file that is read by name, how much of it at most, and why that is enough: it ends a sentence.
 */
export const readLimits = {
  scenario: { mostBytes: MiB, why: 'a scenario is a page or two' },
  target: { mostBytes: MiB, why: 'a target file is a page' },
  authority: { mostBytes: MiB, why: 'all authorities that a system trusts take a quarter of it' },
  pid: { mostBytes: 4 * KiB, why: 'it holds the number of a process' },
  trace: { mostBytes: 256 * MiB, why: 'the most events that can be planned take about as much' },
  corpus: { mostBytes: manyBodiesBytes, why: 'the publisher keeps all bodies in memory' },
  result: { mostBytes: 64 * MiB, why: 'a run of 64 load processes over hours stays below it' },
  comparison: { mostBytes: 64 * MiB, why: 'a comparison is smaller than its results' },
  baseline: { mostBytes: 16 * MiB, why: 'a baseline holds about 500 bytes a run' },
  profile: { mostBytes: 16 * MiB, why: 'a profile holds about 3 KB a point' },
  prices: { mostBytes: MiB, why: 'a price file is a page' },
  report: { mostBytes: 64 * MiB, why: 'a page of charts stays below it' },
  claims: { mostBytes: MiB, why: 'a list of claims is a few pages' },
  figures: { mostBytes: 4 * MiB, why: 'claims have a few figures each' },
  validation: { mostBytes: MiB, why: 'a part of the validation keeps a few figures' },
  mark: { mostBytes: 4 * KiB, why: 'it holds a process and a time' },
  page: { mostBytes: MiB, why: 'a page of the documentation is a few kilobytes' },
} as const satisfies Record<string, { mostBytes: number; why: string }>;

export type ReadKind = keyof typeof readLimits;

/** `why` says what is wrong with the file, without a full stop, and quotes nothing of it. */
export type FileFault = {
  fault: 'missing' | 'no-file' | 'too-large' | 'no-text' | 'unreadable';
  why: string;
};

export type ReadOptions = {
  /** `false`: a link as the last part of the path is refused, wherever it leads. */
  followLinks?: boolean;
};

/**
 * Reads a file as text. Its kind is looked at before it is opened, as opening alone does something to some
 * devices, and again after, as it may have been replaced; opening never waits for a pipe's other end.
 */
export function tryReadText(
  path: string,
  kind: ReadKind,
  { followLinks = true }: ReadOptions = {},
): { text: string } | FileFault {
  const { mostBytes, why } = readLimits[kind];
  let fd: number | undefined;
  try {
    const before = noFile(followLinks ? statSync(path) : lstatSync(path));
    if (before) return before;
    const { O_RDONLY, O_NONBLOCK, O_NOCTTY, O_NOFOLLOW } = constants;
    fd = openSync(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | (followLinks ? 0 : O_NOFOLLOW));
    const about = fstatSync(fd);
    const now = noFile(about) ?? tooLarge(about.size, kind);
    if (now) return now;
    const bytes = readUpTo(fd, about.size, mostBytes);
    if (bytes) return textOf(bytes);
    return {
      fault: 'too-large',
      why: `it holds more than the ${formatBytes(mostBytes)} that are read: ${why}`,
    };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return {
      fault: code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'unreadable',
      why: messageOf(error),
    };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/**
 * Reads a file as text.
 * @param what begins the message, such as `Cannot read the trace "day.csv"`; `next` ends it: what to do
 * @throws UserError with the code given
 */
export function readText(
  path: string,
  kind: ReadKind,
  { code, what, next = '' }: { code: string; what: string; next?: string },
): string {
  const read = tryReadText(path, kind);
  if ('text' in read) return read.text;
  throw new UserError(code, `${what}: ${read.why}.${next === '' ? '' : ` ${next}`}`);
}

function noFile(about: Stats): FileFault | undefined {
  if (about.isFile()) return undefined;
  return { fault: 'no-file', why: `it is ${nameOf(about)}, and only regular files are read` };
}

function nameOf(about: Stats): string {
  if (about.isDirectory()) return 'a folder';
  if (about.isFIFO()) return 'a named pipe';
  if (about.isSocket()) return 'a socket';
  return about.isSymbolicLink() ? 'a link' : 'a device';
}

function tooLarge(sizeBytes: number, kind: ReadKind): FileFault | undefined {
  const { mostBytes, why } = readLimits[kind];
  if (sizeBytes <= mostBytes) return undefined;
  const most = `${formatNumber(mostBytes)} (${formatBytes(mostBytes)})`;
  return {
    fault: 'too-large',
    why: `it has ${formatNumber(sizeBytes)} bytes, and at most ${most} are read: ${why}`,
  };
}

/** Files of /proc say that they have 0 bytes. */
const firstReadBytes = 64 * KiB;

/** @returns `undefined` where there is more: a file may hold more than it says, and grow meanwhile */
function readUpTo(fd: number, sizeBytes: number, mostBytes: number): Buffer | undefined {
  // One byte more than there should be shows whether there is more.
  let bytes = Buffer.allocUnsafe(Math.min(Math.max(sizeBytes, firstReadBytes), mostBytes) + 1);
  let filled = 0;
  for (;;) {
    const count = readSync(fd, bytes, filled, bytes.length - filled, null);
    if (count === 0) return bytes.subarray(0, filled);
    filled += count;
    if (filled > mostBytes) return undefined;
    if (filled === bytes.length) bytes = Buffer.concat([bytes], Math.min(2 * filled, mostBytes + 1));
  }
}

/** Of UTF-16, as PowerShell's > writes it, with either end first. */
const wideMarks = [Buffer.of(0xff, 0xfe), Buffer.of(0xfe, 0xff)];

function textOf(bytes: Buffer): { text: string } | FileFault {
  if (wideMarks.some((mark) => bytes.subarray(0, 2).equals(mark)))
    return { fault: 'no-text', why: 'it is text in UTF-16; save it in UTF-8' };
  if (bytes.includes(0)) return { fault: 'no-text', why: 'it is not text: it holds a zero byte' };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { fault: 'no-text', why: 'it is not text in UTF-8' };
  }
}
