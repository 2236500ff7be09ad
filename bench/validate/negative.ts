// Breaks measurements on purpose. The verdict must be that latencies are not judged, never that the server is
// slower.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { processes, type Fleet } from '../../harness/trial/fleet.ts';
import { freeze } from '../../harness/process/freeze.ts';
import { table, type Part } from './part.ts';
import { compared, metricIn, trialText } from './trials.ts';

/** Of the measured second and a half; more than the lag that a publisher may have. */
const frozenMs = 700;
const hogs = 6;

/** The load process on one core, from the first event on with others that never rest. */
const starved: Fleet = {
  ...processes,
  load(index) {
    const peer = processes.load(index);
    execFileSync('taskset', ['-a', '-cp', '0', String(peer.pid)], { stdio: 'ignore' });
    const burners: ChildProcess[] = [];
    const rest = () => burners.splice(0).forEach((burner) => burner.kill('SIGTERM'));
    return {
      ...peer,
      send(command) {
        // A shell is up at once; timeout ends it when told to, and by itself when nobody tells it.
        if (command.kind === 'window')
          burners.push(
            ...Array.from({ length: hogs }, () =>
              spawn('taskset', ['-c', '0', 'timeout', '20', 'sh', '-c', 'while :; do :; done'], {
                stdio: 'ignore',
              }),
            ),
          );
        if (command.kind === 'close') rest();
        peer.send(command);
      },
      async stop(graceMs) {
        rest();
        await peer.stop(graceMs);
      },
    };
  },
};

/** The server may hold fewer descriptors than there are subscribers. */
const limited: Fleet = {
  ...processes,
  server() {
    const peer = processes.server();
    execFileSync('prlimit', ['--pid', String(peer.pid), '--nofile=64:64']);
    return peer;
  },
};

const frozen: Fleet = {
  ...processes,
  publisher() {
    const peer = processes.publisher();
    return {
      ...peer,
      send(command) {
        peer.send(command);
        if (command.kind === 'window')
          setTimeout(
            () => freeze(peer.pid, frozenMs),
            (command.window.toUs - command.window.warmupFromUs) / 2000,
          );
      },
    };
  },
};

export const negative: Part = {
  title: 'Negative controls: a broken measurement is not judged, never slower',
  async run(quick) {
    const controls: [string, Fleet][] = [
      [`load process on one core with ${hogs} busy others`, starved],
      ['server with a limit of 64 descriptors for 100 subscribers (prlimit)', limited],
      [`publisher stopped for ${frozenMs} ms in the middle (SIGSTOP)`, frozen],
    ];
    const rows: string[][] = [];
    let unjudged = 0;
    for (const [i, [what, fleet]] of controls.entries()) {
      const { comparison } = await compared({ pairs: quick ? 1 : 3, seed: 300 + i, candidate: fleet });
      // Three pairs would be too few for any figure; here there is none, because the trials do not count.
      const p50 = metricIn(comparison, 'latency.p50');
      const without = p50 === undefined || p50.kind === 'absent';
      if (comparison.verdict === 'not-judged' && without) unjudged++;
      const codes = new Set(comparison.variants[0]!.dropped.map(({ why }) => why));
      rows.push([what, comparison.verdict, [...codes].join('; ')]);
    }
    return {
      claims: [
        {
          text: `${unjudged} of ${controls.length} broken measurements are not judged, for what was broken`,
          held: unjudged === controls.length,
        },
      ],
      markdown:
        `Only the candidate's trials are broken: ${trialText()}.\n\n` +
        `${table(['what is broken', 'verdict', 'why'], rows)}`,
    };
  },
};
