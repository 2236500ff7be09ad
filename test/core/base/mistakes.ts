// Reading a scenario in a test, and the mistakes found in one that is wrong.

import assert from 'node:assert/strict';
import { UserError } from '../../../core/base/errors.ts';
import type { PatternRegistry } from '../../../core/pattern/pattern.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';

const file = 'mine/quick.yaml';

export function read(text: string, overrides: string[] = [], registry: PatternRegistry = patterns) {
  return parseScenario(text, { file, registry, overrides });
}

/** The mistakes found, without the headline and the file's name. */
export function mistakesIn(text: string, overrides: string[] = []): string[] {
  try {
    read(text, overrides);
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.code, 'scenario');
    assert.equal(error.exitCode, 2);
    const [head, ...lines] = error.message.split('\n');
    assert.equal(
      head,
      `The scenario ${file} cannot run` +
        (lines.length === 1
          ? ':'
          : `, for ${/and (\d+) more/.test(error.message) ? head!.match(/\d+/)![0] : lines.length} reasons:`),
    );
    return lines.map((line) => (line.startsWith(`${file}:`) ? line.slice(file.length + 1) : line));
  }
  return [];
}

/** Three lines, so that what follows stands in line 4 and on. */
export const base = `question: What?
subscribers: 10
topics: { news: { publish: 5/s } }
`;
