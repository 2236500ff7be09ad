// What is read by name and what is not: devices, pipes, folders, files without an end. Each answer is a
// sentence, comes at once, and quotes nothing of the file.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs, {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import {
  readLimits,
  readText,
  tryReadText,
  type FileFault,
  type ReadKind,
} from '../../../core/base/read-file.ts';

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-read-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function refusal(path: string, kind: ReadKind = 'scenario', options = {}): FileFault {
  const read = tryReadText(path, kind, options);
  assert.ok(!('text' in read), `${path} was read`);
  return read;
}

test('a regular file is read, by a link too, without a byte-order mark', (t) => {
  const folder = folderOf(t);
  const file = join(folder, 'a');
  writeFileSync(file, '\uFEFFé\n');
  symlinkSync(file, join(folder, 'link'));
  assert.deepEqual(tryReadText(file, 'scenario'), { text: 'é\n' });
  assert.deepEqual(tryReadText(join(folder, 'link'), 'scenario'), { text: 'é\n' });
  writeFileSync(file, '');
  assert.deepEqual(tryReadText(file, 'scenario'), { text: '' });
});

test('what is not a regular file is named as what it is, and never waited for', async (t) => {
  const folder = folderOf(t);
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const server = createServer().listen(join(folder, 'socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  t.onTestFinished(() => void server.close());
  for (const [path, is] of [
    ['/dev/zero', 'a device'],
    ['/dev/tty', 'a device'],
    [join(folder, 'pipe'), 'a named pipe'],
    [join(folder, 'socket'), 'a socket'],
    [folder, 'a folder'],
  ] as const) {
    assert.deepEqual(refusal(path), {
      fault: 'no-file',
      why: `it is ${is}, and only regular files are read`,
    });
    symlinkSync(path, join(folder, 'link'));
    assert.deepEqual(refusal(join(folder, 'link')), refusal(path), 'a link changes nothing');
    rmSync(join(folder, 'link'));
  }
});

test('links are refused where they are not to be followed', (t) => {
  const folder = folderOf(t);
  writeFileSync(join(folder, 'a'), 'text');
  symlinkSync(join(folder, 'a'), join(folder, 'link'));
  assert.deepEqual(refusal(join(folder, 'link'), 'result', { followLinks: false }), {
    fault: 'no-file',
    why: 'it is a link, and only regular files are read',
  });
  assert.deepEqual(tryReadText(join(folder, 'a'), 'result', { followLinks: false }), { text: 'text' });
});

test('a file may be as large as its limit and no larger, whatever size it claims', (t) => {
  const file = join(folderOf(t), 'a');
  for (const kind of Object.keys(readLimits) as ReadKind[]) {
    writeFileSync(file, '');
    truncateSync(file, readLimits[kind].mostBytes + 1); // a hole, which takes no room on the disk
    const { fault, why } = refusal(file, kind);
    assert.equal(fault, 'too-large');
    assert.match(why, /^it has [\d,]+ bytes, and at most [\d,]+ \([\d.]+ [KM]iB\) are read: [a-z].*[^.]$/);
  }
  const { mostBytes } = readLimits.scenario;
  writeFileSync(file, 'x'.repeat(mostBytes));
  const read = tryReadText(file, 'scenario');
  assert.equal('text' in read && read.text.length, mostBytes);
  // Files of /proc say that they have 0 bytes.
  const own = tryReadText('/proc/self/status', 'scenario');
  assert.match('text' in own ? own.text : '', /^Name:/);
});

test('a file that grows or is replaced while it is read stays within the limit', (t) => {
  const folder = folderOf(t);
  const file = join(folder, 'a');
  const { fstatSync, statSync } = fs;
  t.onTestFinished(() => {
    Object.assign(fs, { fstatSync, statSync });
    syncBuiltinESMExports();
  });
  // Its size has been asked for, and nothing has been read.
  fs.fstatSync = ((fd: number) => {
    const about = fstatSync(fd);
    appendFileSync(file, 'y'.repeat(readLimits.pid.mostBytes));
    return about;
  }) as typeof fstatSync; // as the reader calls it
  syncBuiltinESMExports();
  writeFileSync(file, 'x');
  assert.deepEqual(refusal(file, 'pid'), {
    fault: 'too-large',
    why: 'it holds more than the 4 KiB that are read: it holds the number of a process',
  });
  fs.fstatSync = fstatSync;
  // A pipe has taken the place of the file.
  fs.statSync = ((path: string) => {
    const about = statSync(path);
    rmSync(file);
    execFileSync('mkfifo', [file]);
    return about;
  }) as typeof statSync;
  syncBuiltinESMExports();
  writeFileSync(file, 'x');
  assert.deepEqual(refusal(file, 'pid'), {
    fault: 'no-file',
    why: 'it is a named pipe, and only regular files are read',
  });
});

test('what is not text is told so without being quoted', (t) => {
  const file = join(folderOf(t), 'a');
  for (const [bytes, why] of [
    [Buffer.from('question: SECRET\0'), 'it is not text: it holds a zero byte'],
    [Buffer.from('SECRET', 'utf16le'), 'it is not text: it holds a zero byte'],
    [Buffer.from([0x53, 0xff, 0xfe]), 'it is not text in UTF-8'],
    [Buffer.from([0xed, 0xa0, 0x80]), 'it is not text in UTF-8'],
  ] as const) {
    writeFileSync(file, bytes);
    assert.deepEqual(refusal(file), { fault: 'no-text', why });
  }
});

test('what is missing or may not be read says so', (t) => {
  const folder = folderOf(t);
  assert.match(refusal(join(folder, 'none')).why, /^ENOENT/);
  assert.equal(refusal(join(folder, 'none')).fault, 'missing');
  writeFileSync(join(folder, 'a'), '');
  assert.equal(refusal(join(folder, 'a', 'b')).fault, 'missing');
  symlinkSync(join(folder, 'loop'), join(folder, 'loop'));
  assert.deepEqual(
    [refusal(join(folder, 'loop')).fault, refusal('a\0b').fault],
    ['unreadable', 'unreadable'],
  );
  mkdirSync(join(folder, 'closed'), { mode: 0 });
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid!(65_534); // root reads everything, so be nobody for a moment
  try {
    assert.match(refusal(join(folder, 'closed', 'a')).why, /^EACCES/);
  } finally {
    if (root) process.seteuid!(0);
  }
});

test('the error has the code of its caller, says what was to be read, why not, and what to do', () => {
  assert.throws(
    () =>
      readText('/dev/zero', 'trace', {
        code: 'trace',
        what: 'Cannot read the trace "day.csv"',
        next: 'Name another.',
      }),
    (error) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.code, 'trace');
      assert.equal(
        error.message,
        'Cannot read the trace "day.csv": it is a device, and only regular files are read. Name another.',
      );
      return true;
    },
  );
});
