// The ready workflow holds: it is YAML of the shape that GitHub reads, its commands take their options, and
// run here they turn red where the change made a server slower, and say why.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { test } from 'vitest';
import { parse } from 'yaml';
import { createProgram } from '../cli/program.ts';
import { holdingApp } from './fake/holding-app.ts';
import { scripted, start, temporaryFolder } from './cli/tools.ts';

type Step = { uses?: string; run?: string };

function stepsOf(): Step[] {
  const { jobs } = parse(readFileSync('docs/ci/pushbench.yml', 'utf8')) as {
    jobs: Record<string, { steps: Step[] }>;
  };
  return Object.values(jobs).flatMap((job) => job.steps);
}

test(
  'every pushbench command of the workflow and its page is one, ' +
    'with the options and arguments it is given',
  () => {
    const steps = stepsOf();
    assert.ok(
      steps.every(({ uses, run }) => (uses === undefined) !== (run === undefined)),
      'a step uses or runs',
    );
    const page = readFileSync('docs/ci/README.md', 'utf8');
    const texts = [
      ...steps.flatMap(({ run }) => run ?? []),
      ...[...page.matchAll(/(?:```sh\n([\s\S]*?)```|`(pushbench [^`]*)`)/g)].map(
        ([, block, inline]) => block ?? inline!,
      ),
    ];
    const lines = texts
      .flatMap((text) => text.split('\n'))
      .flatMap((line) => /(?:npx )?pushbench ((?:run|compare|baseline|history|ab) .+)/.exec(line)?.[1] ?? []);
    assert.ok(lines.length >= 4, lines.join('\n'));
    for (const line of lines) {
      const words = line.replace(/\s#.*/, '').match(/'[^']*'|"[^"]*"|\S+/g)!;
      let command = createProgram();
      for (let next; (next = command.commands.find((one) => one.name() === words[0])); words.shift())
        command = next;
      const options = words.filter((word) => word.startsWith('--'));
      for (const option of options)
        assert.ok(
          command.options.some(({ long }) => long === option),
          `${line}: ${option}`,
        );
      const taken = options.filter((option) =>
        command.options.some(({ long, required, optional }) => long === option && (required || optional)),
      ).length;
      const needed = command.registeredArguments.filter(({ required }) => required).length;
      assert.ok(words.length - options.length - taken >= needed, `${line}: too few arguments`);
    }
  },
);

test(
  "the workflow's own step, run here: a change that makes the server " +
    'slower turns it red, and every report says why',
  { timeout: 900_000 },
  async (t) => {
    const folder = temporaryFolder(t);
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const address = free.address();
    const port = typeof address === 'object' && address !== null ? address.port : assert.fail();
    free.close();
    const write = (path: string, text: string, mode = 0o644) => {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), text, { mode });
    };
    // Long enough that a busy machine's lateness is a small part of it.
    write('base/your-app.mjs', holdingApp(port, 300));
    write('head/your-app.mjs', holdingApp(port, 500));
    write(
      'head/bench/app.yaml',
      `name: app\nurl: http://127.0.0.1:${port}\npublish: /feed/{topic}\n` +
        "subscribe: { sse: '/feed/{topic}' }\n",
    );
    // Only the median gates, so that the noise of short trials on a small machine decides nothing.
    write(
      'head/bench/delivery.yaml',
      'question: Does it get slower?\nsubscribers: 10\ntopics: { news: { publish: 30/s } }\n' +
        'phases: { connect: 100ms, warmup: 200ms, measure: 1s, drain: 1s }\nvariants: [sse]\n' +
        'gate: { latency.p90: off, server-cpu-per-delivery: off }\n',
    );
    // In the place of the installed package.
    write('bin/npx', `#!/bin/sh\nshift\nexec ${scripted.map((word) => `'${word}'`).join(' ')} "$@"\n`, 0o755);
    const step = stepsOf().find(({ run }) => run?.includes('pushbench ab'))?.run;
    assert.ok(step);
    write('step.sh', `export PATH='${join(folder, 'bin')}${delimiter}${process.env['PATH']}'\n${step}`);
    // As GitHub runs a step.
    const end = await start(['-e', 'step.sh'], folder, ['bash']).ended;
    assert.equal(end.code, 5, end.stdout + end.stderr);
    const read = (file: string) => readFileSync(join(folder, file), 'utf8');
    assert.match(end.stdout, /^::(error|notice) file=bench\/delivery\.yaml,title=pushbench delivery/m);
    assert.match(
      read('comparison.html'),
      /delivery: cmd:node head\/your-app\.mjs against cmd:node base\/your-app\.mjs/,
    );
    assert.match(end.stdout, /^Worse, .*median latency \+\d+/m);
    assert.match(
      end.stdout,
      /^::error file=bench\/delivery\.yaml,title=pushbench delivery%3A sse[^:]*::median latency \+\d+/m,
    );
    assert.match(
      read('summary.md'),
      /❌ \*\*Worse, .*median latency \+\d+[\s\S]*\| median latency \|.*\*\*slower\*\* \|/,
    );
    assert.match(read('junit.xml'), /<failure type="ratio" message="median latency \+\d+/);
    assert.match(read('comparison.html'), /Worse, .*median latency \+\d+[\s\S]*<svg/);
  },
);
