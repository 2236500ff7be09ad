// Implements `pushbench history`: tells how the figures of a scenario went over its saved runs.

import { exitCodes, type ExitCode } from '../core/base/errors.ts';
import { printableJson } from '../core/base/printable.ts';
import { listNames } from '../core/base/suggest.ts';
import { historyOf, ofOneKind } from '../core/comparison/history.ts';
import { requireWritable, writeWhole } from '../harness/run/store.ts';
import { version } from '../harness/run/version.ts';
import { renderHistory } from '../reports/history/words.ts';
import { readHistory } from '../reports/history/read.ts';
import { complain } from './print.ts';
import { terminalOf } from './terminal.ts';

export type HistoryFlags = { json: boolean; html?: string; simulatedToo: boolean };

/** Advice alone: a trend never fails a build. */
export async function historyCommand(
  paths: readonly string[],
  { json, html, simulatedToo }: HistoryFlags,
): Promise<ExitCode> {
  if (html !== undefined) requireWritable(html);
  const { sets: all, cut, unreadable } = await readHistory(paths);
  for (const why of unreadable) complain(`Left out: ${why}`);
  const { sets, simulated } = ofOneKind(all, simulatedToo);
  if (simulated.length > 0)
    complain(
      `Left out, as simulated: ${listNames(simulated)}. With --simulated-too they are shown with the ` +
        'measured ones.',
    );
  const history = historyOf(sets, cut);
  if (json) process.stdout.write(`${printableJson(history, 1)}\n`);
  else process.stdout.write(renderHistory(history, terminalOf()));
  if (html !== undefined)
    writeWhole(
      html,
      await (await import('../reports/history/page.ts')).renderHistoryPage(history, version),
      'Free some space, or name another file.',
    );
  return exitCodes.ok;
}
