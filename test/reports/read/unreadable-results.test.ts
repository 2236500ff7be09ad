// Reads files that are no results, and what each is refused with.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import { readResult } from '../../../reports/read/read.ts';
import { fixtureResult } from '../fixture.ts';

test('files that are no results are refused with what is wrong with them', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-read-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const good = JSON.stringify(fixtureResult());
  mkdirSync(join(folder, 'run'));
  writeFileSync(join(folder, 'run', 'result.json'), good);
  assert.equal(
    (await readResult(join(folder, 'run'))).scenario.name,
    fixtureResult().scenario.name,
    'a folder stands for its result.json',
  );
  const rows: [path: string, message: RegExp][] = [
    [join(folder, 'none.json'), /Cannot read a result at .*none\.json: ENOENT/],
    [file('cut.json', good.slice(0, 5000)), /cut\.json is not whole JSON .*cut off/],
    [file('other.json', '{"name":"x"}'), /not a result of pushbench/],
    [
      file('newer.json', good.replace('"version":2', '"version":99')),
      /version 99 .* reads up to 2\. Upgrade/,
    ],
    [
      file('damaged.json', good.replace(/"v2":"[^"]{20}/, '"v2":"HISTFAAAABEAAAAAAAAA')),
      /damaged\.json is not valid: the histogram endToEnd of trials\[0\] cannot be read \(/,
    ],
    [file('odd.json', good.replace('"kind":"finished"', '"kind":"perhaps"')), /is not valid:[\s\S]*state/],
  ];
  for (const [path, message] of rows)
    await assert.rejects(
      readResult(path),
      (error) => error instanceof UserError && message.test(error.message),
      path,
    );
});
