// Kills servers two hundred times at random moments, several times a trial, and starts them again: with
// Redis Streams and with JetStream, nobody who resumes loses an event.

import { killTrialsUsually, killCase, killCases } from './cluster/cases.ts';
import { clusterKillsOutcome } from './cluster/page.ts';
import { runCases } from './cluster/runs.ts';
import type { Part } from './part.ts';

const quickCases = 2;
const log = (text: string) => console.log(text);

export const clusterKills: Part = {
  title: 'Two hundred kills of servers',
  cases: 'trials of four kills',
  run: async (quick, cases = quick ? quickCases : killTrialsUsually) =>
    clusterKillsOutcome(await runCases(killCases(cases), log)),
  repeat: async (number) => clusterKillsOutcome(await runCases([killCase(number)], log)),
};
