// Starts a server by a command, in the place of one of ours: a target that lives as long as its trial, and
// is started again for the next. The target file says how to speak to it. A start that fails is reported at
// once, with what the command printed.

import { setTimeout as sleep } from 'node:timers/promises';
import { redact } from '../../core/secrets/redact.ts';
import { endOf, startTree, type ProcessTree } from '../process/child.ts';
import { asBlock, keepLastLines } from '../process/last-lines.ts';
import { endedWithin, TrialFailure } from '../process/peer.ts';
import { earlierListener, portsOf, treeOf } from '../process/process-tree.ts';
import type { ServerPeer, Fleet } from '../trial/fleet.ts';
import { targetFleet, type PreparedTarget } from './target-peer.ts';
import { problemReaching } from './reach.ts';

/** How long a server may take until it listens. */
const startMs = 10_000;
const lookEveryMs = 50;
/** Between being asked and being made to end. */
const graceMs = 2000;
/** What it printed last may arrive after its end. */
const lastWordsMs = 200;

/**
 * The fleet whose server is what `command` starts, in a shell and a process group of its own.
 * @param cwd the folder that it is started in; this process's when left out
 */
export function commandFleet(fleet: Fleet, target: PreparedTarget, command: string, cwd?: string): Fleet {
  // The process tree to read changes with each trial.
  let current = targetFleet(fleet, target);
  const { probe } = fleet;
  return {
    ...current,
    server() {
      const tree = startTree('/bin/sh', ['-c', command], {
        stdio: 'pipe',
        ...(cwd !== undefined && { cwd }),
      });
      current = targetFleet(fleet, { ...target, pid: tree.child.pid });
      return whileRunning(current.server(), tree, command, target);
    },
    freeze: (pid, forMs, over) => current.freeze(pid, forMs, over),
    probe: {
      ...probe,
      countDescriptors: (pid) => current.probe.countDescriptors(pid),
      classifyDescriptors: (pid) => current.probe.classifyDescriptors(pid),
      descriptorLimit: (pid) => current.probe.descriptorLimit(pid),
      cpu: (pid) => current.probe.cpu(pid),
    },
  };
}

/**
 * Holds the start back until the hosts answer, fails the trial when the command ends or takes too long, and
 * ends it with the trial.
 */
function whileRunning(
  peer: ServerPeer,
  tree: ProcessTree,
  command: string,
  { hosts, access }: PreparedTarget,
): ServerPeer {
  const { child, signal } = tree;
  const lastLines = keepLastLines([child.stdout, child.stderr]);
  const where = hosts.map(({ host, port }) => `${host}:${port}`).join(' and ');
  const atExit = () => signal('SIGKILL');
  process.once('exit', atExit);
  // Ends the waiting with the process, and with the trial.
  const over = new AbortController();
  const problem = Promise.withResolvers<never>();
  const broken = Promise.race([peer.broken, problem.promise]);
  broken.catch(() => {}); // it is awaited only by those who wait for something
  const fail = (code: string, what: string) => {
    const lines = lastLines();
    const said = lines.length === 0 ? 'It printed nothing.' : `It printed last:${asBlock(lines)}`;
    const text = `The command ${JSON.stringify(command)} ${what}\n${said}`;
    problem.reject(new TrialFailure(code, redact(text, access.secrets)));
  };
  let state: 'starting' | 'listening' | 'stopping' = 'starting';
  const ended = endRead(tree);
  void ended.then((how) => {
    over.abort();
    if (state === 'starting') fail('start', `ended (${how}) before anything listened on ${where}.`);
    if (state === 'listening') fail('child-ended', `ended in the middle of the trial (${how}).`);
  });
  const listens = async () => {
    for (const untilMs = performance.now() + startMs; performance.now() < untilMs;) {
      const problems = await Promise.all(hosts.map((host) => problemReaching(host, access, over.signal)));
      if (over.signal.aborted) return;
      if (problems.every((one) => one === undefined)) {
        const other = hosts.map(({ port }) => earlierListener(port, child.pid ?? 0)).find(Boolean);
        if (other === undefined) return void (state = 'listening');
        return fail(
          'port-taken',
          `is not what answers at ${where}: process ${other} listens there since before it was started. ` +
            'End that process, or use another port here and in the target file.',
        );
      }
      await sleep(lookEveryMs, undefined, { signal: over.signal }).catch(() => {}); // over: the loop sees it
    }
    fail(
      'start',
      `runs, but nothing listened on ${where} within ${startMs / 1000} s.${elsewhere(child.pid)}`,
    );
  };
  return {
    ...peer,
    broken,
    next: (...asked) => Promise.race([peer.next(...asked), problem.promise]),
    send(message) {
      if (message.kind !== 'start') return peer.send(message);
      void listens().then(() => {
        if (state === 'listening') peer.send(message);
      });
    },
    async stop(ms, hurry) {
      state = 'stopping';
      over.abort();
      await peer.stop(ms, hurry);
      signal('SIGTERM');
      await endedWithin(ended, atExit, graceMs, hurry);
      atExit(); // what the command left behind in its group
      process.off('exit', atExit);
      // Whatever left the group may hold the other ends.
      child.stdout?.destroy();
      child.stderr?.destroy();
    },
  };
}

/** Resolves with how the command ended, when what it printed has been read. */
async function endRead({ child, gone }: ProcessTree): Promise<string> {
  const how = await new Promise<string>((resolve) =>
    child
      .once('exit', (code, signal) => resolve(endOf(code, signal)))
      .once('error', ({ message }) => resolve(message)),
  );
  // A process that it left behind may hold its output open.
  await Promise.race([gone, sleep(lastWordsMs)]);
  return how;
}

function elsewhere(pid: number | undefined): string {
  const ports = pid === undefined ? [] : portsOf(treeOf(pid));
  if (ports.length === 0) return '';
  const [what, it] = ports.length === 1 ? ['port', 'that'] : ['ports', 'one of them'];
  return (
    ` It listens on ${what} ${ports.join(', ')}: write ${it} into the "url" of the target file, or start ` +
    'it on the port that the file names.'
  );
}
