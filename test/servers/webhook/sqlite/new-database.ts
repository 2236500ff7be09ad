// Opens an embedded database of a test's own.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext } from 'vitest';
import { openDatabase } from '../../../../servers/webhook/sqlite/database.ts';

export function newFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-test-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'store.db');
}

export function newStore(t: TestContext) {
  const store = openDatabase(':memory:');
  t.onTestFinished(() => store.close());
  const endpoint = {
    key: 0,
    id: 'ep_1',
    config: '{}',
    createdMs: 0,
    disabled: undefined,
    failures: 0,
    failingSinceMs: undefined,
  };
  store.saveEndpoint(endpoint);
  const publish = (n: number, nowMs = n) =>
    store.publish(
      { id: `e-${n}`, topic: 'news', body: `${n}`, bodyBytes: 1 },
      [{ key: endpoint.key, state: 'pending' }],
      nowMs,
    )[0]!;
  const settle = (id: number, state: 'delivered' | 'exhausted' | 'pending', nextMs?: number) => {
    const task = {
      id,
      endpoint: endpoint.key,
      message: { id: '', topic: '', body: '', bodyBytes: 1 },
      attempts: 0,
      spent: 0,
      createdMs: 0,
      dueMs: 0,
    };
    store.settle(
      task,
      {
        attempt: 1,
        atMs: 1,
        latencyMs: 1,
        status: 204,
        failure: undefined,
        answer: '',
        truncated: false,
        nextMs,
      },
      state,
    );
  };
  return { store, endpoint, publish, settle };
}
