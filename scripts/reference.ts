// Writes the reference pages in docs/reference/ from what they describe: the commands as commander has them,
// scenario and target files and results as their schemas have them, the metrics and the exit codes:
// `npm run reference`.

import { mkdirSync, writeFileSync } from 'node:fs';
import { commandsPage } from './reference/commands.ts';
import { exitCodesPage } from './reference/exit-codes.ts';
import { metricsPage } from './reference/metrics.ts';
import { resultPage } from './reference/result.ts';
import { scenarioPage } from './reference/scenario.ts';
import { targetPage } from './reference/target.ts';

export const referenceFolder = new URL('../docs/reference/', import.meta.url);

/** By the file in the folder. */
export const referencePages: Readonly<Record<string, () => string>> = {
  'commands.md': commandsPage,
  'scenario.md': scenarioPage,
  'metrics.md': metricsPage,
  'target.md': targetPage,
  'result.md': resultPage,
  'exit-codes.md': exitCodesPage,
};

if (import.meta.main) {
  mkdirSync(referenceFolder, { recursive: true });
  for (const [file, text] of Object.entries(referencePages))
    writeFileSync(new URL(file, referenceFolder), text());
}
