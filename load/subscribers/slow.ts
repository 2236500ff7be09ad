// Has subscribers read slowly, or not at all, for a while: what they do not read stays in the kernel's
// buffers, and then with the server.

import { drawShare, random } from '../../core/base/random.ts';
import { nowUs } from '../../core/base/clock.ts';
import type { LoadCommand } from '../../core/protocol/control.ts';
import type { RunningLoad } from '../pattern.ts';

export type SlowReaders = {
  /** This share of the subscribers that read, drawn from the seed, does so slowly for a while. */
  begin(share: number, bytesPerS: number, forMs: number): void;
  /** All read on. */
  stop(): void;
};

export function createSlowReaders(
  { first, count, seed }: Pick<Extract<LoadCommand, { kind: 'start' }>, 'first' | 'count' | 'seed'>,
  running: Pick<RunningLoad, 'slow'>,
): SlowReaders {
  const next = random(seed, `slow:${first}`);
  const slowed = new Set<number>();
  const ends = new Map<NodeJS.Timeout, () => void>();
  return {
    begin(share, bytesPerS, forMs) {
      const reading = Array.from({ length: count }, (_, i) => first + i).filter((one) => !slowed.has(one));
      const chosen = drawShare(reading, share, next);
      for (const subscriber of chosen) {
        slowed.add(subscriber);
        running.slow?.(subscriber, bytesPerS);
      }
      const end = () => {
        for (const subscriber of chosen) {
          slowed.delete(subscriber);
          running.slow?.(subscriber, undefined);
        }
      };
      const timer = setTimeout(() => {
        ends.delete(timer);
        end();
      }, forMs);
      ends.set(timer, end);
    },
    stop() {
      for (const [timer, end] of ends) {
        clearTimeout(timer);
        end();
      }
      ends.clear();
    },
  };
}

/** What can be kept from reading. */
type Reader = { line: { pause(): unknown; resume(): unknown } | undefined };
type Pace = { bytesPerS: number; nextUs: number; timer?: NodeJS.Timeout };

export type Pacing<R extends Reader> = {
  /** @param bytesPerS 0 for nothing, undefined for as fast as it comes */
  set(reader: R, bytesPerS: number | undefined): void;
  /** It has a new line. */
  opened(reader: R): void;
  /** It has read so many bytes. */
  read(reader: R, bytes: number): void;
};

/** Keeps readers to their pace: after each read, a slow reader pauses until it may read again. */
export function createPacing<R extends Reader>(): Pacing<R> {
  const paces = new Map<R, Pace>();

  function hold(reader: R, pace: Pace): void {
    clearTimeout(pace.timer);
    reader.line?.pause();
    if (pace.bytesPerS === 0) return;
    pace.timer = setTimeout(() => reader.line?.resume(), Math.max(0, pace.nextUs - nowUs()) / 1000);
  }

  return {
    set(reader, bytesPerS) {
      clearTimeout(paces.get(reader)?.timer);
      paces.delete(reader);
      if (bytesPerS === undefined) {
        reader.line?.resume();
        return;
      }
      const pace: Pace = { bytesPerS, nextUs: nowUs() };
      paces.set(reader, pace);
      hold(reader, pace);
    },
    opened(reader) {
      const pace = paces.get(reader);
      if (pace) hold(reader, pace);
    },
    read(reader, bytes) {
      const pace = paces.size === 0 ? undefined : paces.get(reader);
      if (!pace || pace.bytesPerS === 0) return; // paused; these bytes had been read before
      pace.nextUs = Math.max(pace.nextUs, nowUs()) + (bytes / pace.bytesPerS) * 1e6;
      hold(reader, pace);
    },
  };
}
