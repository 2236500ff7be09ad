// Reads the files that a scenario's schedule is made of: its traces, and the bodies of its corpora.

import { join } from 'node:path';
import { readText } from '../../core/base/read-file.ts';
import type { Sources } from '../../core/plan/schedule.ts';
import { loadCorpus } from './corpus.ts';

/** @param folder the scenario's, where its files are looked for */
export function sourcesIn(folder: string): Sources {
  return {
    corpusOf: (from) => loadCorpus(from, folder),
    traceOf: (file) =>
      readText(join(folder, file), 'trace', {
        code: 'trace',
        what: `Cannot read the trace "${file}"`,
        next: `Traces are looked for beside the scenario file, in ${folder}.`,
      }),
  };
}
