// Reads HAProxy's answers: CSV as RFC 4180 has it, what HAProxy itself gives as JSON, processes of before a
// reload, and a socket that does not answer as it should.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, test, type TestContext } from 'vitest';
import {
  createRuntime,
  readCsv,
  readProcesses,
  readStat,
  RuntimeError,
  sessionsIn,
} from '../../../harness/cluster/haproxy/runtime.ts';

const value = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', ' ', '1', 'é'), maxLength: 8 });
const quoted = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

describe('show stat', () => {
  test('every table of values comes out as it went in', () => {
    fc.assert(
      fc.property(fc.array(fc.array(value, { minLength: 2, maxLength: 5 }), { minLength: 1 }), (rows) => {
        const text = rows.map((row) => `${row.map(quoted).join(',')}\n`).join('');
        assert.deepEqual(readCsv(text), rows);
      }),
    );
  });

  test('values are found by the names of their columns', () => {
    const [first, ...rest] = readStat('# pxname,svname,last_chk,scur,\nservers,s1,"no, ""really""",7,\n\n');
    assert.deepEqual(
      [...first!],
      [
        ['pxname', 'servers'],
        ['svname', 's1'],
        ['last_chk', 'no, "really"'],
        ['scur', '7'],
      ],
    );
    assert.deepEqual(rest, []);
  });

  test.for(['', 'Unknown command', '# a,b\n1,2,3\n', '# a,b\n"1,2\n'])('%j cannot be read', (text) => {
    assert.throws(
      () => readStat(text),
      (error: RuntimeError) => error.code === 'unreadable',
    );
  });
});

test('show proc: the master, its workers, and those of before a reload', () => {
  const text =
    '#<PID>          <type>          <reloads>       <uptime>        <version>      \n' +
    '11037           master          3 [failed: 1]   0d00h02m09s     2.6.12         \n' +
    '# workers\n11045           worker          0               0d00h00m00s     2.6.12         \n' +
    '# old workers\n11038           worker          2               0d00h02m09s     2.6.12         \n' +
    '# programs\n\n\n';
  assert.deepEqual(readProcesses(text), [
    { pid: 11037, type: 'master', reloads: 3, failedReloads: 1 },
    { pid: 11045, type: 'worker', reloads: 0, failedReloads: 0 },
    { pid: 11038, type: 'worker', reloads: 2, failedReloads: 0 },
  ]);
  assert.throws(() => readProcesses('nothing'), /cannot be read: nothing/);
});

test('show sess: the ids of one server, and of no other', () => {
  const line = (id: string, server: string) =>
    `${id}: proto=tcpv4 src=127.0.0.1:5 fe=subscribers be=servers srv=${server} ts=00 age=1s calls=3\n`;
  assert.deepEqual(sessionsIn(line('0x5a', 's1') + line('0x5b', 's10') + line('0x5c', '<none>'), 's1'), [
    '0x5a',
  ]);
});

/** A runtime API of the test. */
async function answering(t: TestContext, answer: (socket: Socket, command: string) => void): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-runtime-'));
  const path = join(folder, 'master.sock');
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let command = '';
    socket.on('error', () => {});
    socket.on('data', (bytes) => (command += bytes.toString())).on('end', () => answer(socket, command));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return path;
}

describe('the socket', () => {
  test('one command a connection, to the process that it is for', async (t) => {
    const commands: string[] = [];
    const path = await answering(t, (socket, command) => {
      commands.push(command);
      socket.end('\n\n');
    });
    const { tell } = createRuntime(path);
    await tell('a', 'master');
    await tell('b');
    await tell('c', 77);
    assert.deepEqual(commands, ['a\n', '@1 b\n', '@!77 c\n']);
    await assert.rejects(tell('d; e'), /not one command/);
  });

  test.for<[answer: string, code: RuntimeError['code'], message: RegExp]>([
    ['No such server.\n', 'refused', /HAProxy refused "x": No such server\.$/],
    ["Can't find the target PID matching the prefix '@!9'\n", 'gone', /no such process any more/],
  ])('%j', async ([answer, code, message], t) => {
    const path = await answering(t, (socket) => socket.end(answer));
    await assert.rejects(
      createRuntime(path).tell('x', 9),
      (error: RuntimeError) => error.code === code && message.test(error.message),
    );
  });

  test('servers are stored for a reload as they are said, and nothing else is', async (t) => {
    const states = '1\n# be_id be_name srv_id srv_name srv_addr\n3 servers 1 s1 127.0.0.1\n\n';
    const good = await answering(t, (socket) => socket.end(states));
    assert.equal(await createRuntime(good).stateFile(), states);
    const bad = await answering(t, (socket) => socket.end("Can't find backend.\n"));
    await assert.rejects(
      createRuntime(bad).stateFile(),
      (error: RuntimeError) => error.code === 'unreadable' && /Can't find backend/.test(error.message),
    );
  });

  test('nobody there', async () => {
    await assert.rejects(
      createRuntime(join(tmpdir(), 'pushbench-no-such.sock')).processes(),
      (error: RuntimeError) => error.code === 'gone' && error.message.includes('ENOENT'),
    );
  });
});
