// Declares the commands that compare, with their arguments and options. What each does is in a file of its
// own.

import { Option, type Command } from 'commander';
import type { AbFlags } from './ab-options.ts';
import type { BaselineFlags } from './baseline.ts';
import type { BisectFlags } from './bisect.ts';
import type { CompareFlags, MatchFlags } from './compare.ts';
import type { HistoryFlags } from './history.ts';
import { loaded } from './signals.ts';

/** Gathers an option that may be repeated. */
export function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}

/** What every command has that ends in a comparison. */
function withOutputs(command: Command): Command {
  return command
    .option('--strict', '"slower" only if the whole interval lies above the minimum effect', false)
    .addOption(
      new Option(
        '--fail-on <what>',
        'also fail on "inconclusive" (undecided, exit code 6) or "advisory" timings (5); a metric that ' +
          'is worse (5) or was not judged (6) always fails',
      )
        .default([] as string[], 'none')
        .argParser(collect),
    )
    .option('--json', 'print the comparison as JSON on standard output instead of the table', false)
    .option('--html <file>', 'write a page with charts too')
    .option('--markdown <file>', 'write Markdown too, for a job summary')
    .option('--junit <file>', 'write JUnit XML too, a case for each metric')
    .addOption(
      new Option('--annotations [file]', 'print GitHub annotations too, at this file of the repository')
        .default(false)
        .conflicts('json'),
    );
}

export function addComparisonCommands(root: Command, invocation: string): void {
  withOutputs(root.command('ab'))
    .description('run two arms alternately, in pairs, and decide whether the second is worse')
    .argument(
      '<a>',
      'the baseline: a variant of the scenario, ref:COMMIT or dir:FOLDER of your app with --start and ' +
        '--target, cmd:"COMMAND" with --target, or target:FILE',
    )
    .argument('<b>', 'the candidate, the same')
    .option('--scenario <scenario>', 'name of a shipped scenario, or path of a YAML file', 'compare')
    .addOption(
      new Option('--set <path=value>', 'override a value of the scenario (may be repeated)')
        .default([] as string[], 'none')
        .argParser(collect),
    )
    .option('--results <dir>', 'where results are kept', 'results')
    .option(
      '--pairs <number>',
      'pairs of trials after the first, which is a warm-up (default: as many as the number of variants ' +
        'and gating metrics needs)',
    )
    .option(
      '--extend',
      'if these pairs decide nothing, run the same number again; each look gets half of the level',
      false,
    )
    .option('--budget <duration>', 'plan only as many pairs as fit into this time, such as 10m')
    .option('--inject-a <settings>', "make the baseline's server worse on purpose, as run --inject does")
    .option('--inject-b <settings>', "the same with the candidate's")
    .option('--target <file>', 'how to speak to the server that cmd: or --start starts')
    .option('--start <command>', 'starts your app in the folder of a ref: or dir:')
    .option(
      '--install <command>',
      'installs and builds in the checkout of a ref: (default: the packages installed here, or npm ci ' +
        'if the lock file differs)',
    )
    .option('--app <folder>', 'where your app is, in its git repository', '.')
    .option('--quiet', 'print nothing while it runs', false)
    .action(async (a: string, b: string, options: AbFlags) => {
      const { abCommand } = await loaded(import('./ab.ts'));
      process.exitCode = await abCommand(a, b, options, invocation);
    });

  addBisect(root, invocation);

  const simulatedToo = new Option(
    '--simulated-too',
    'compare a simulation with a measurement, or with a simulation from another profile; refused otherwise',
  ).default(false);
  withOutputs(root.command('compare'))
    .description('compare the results of a candidate with those of a baseline')
    .argument('<baseline>', "a result.json, a run's folder, or a folder of runs")
    .argument('<candidate>', 'the same')
    .addOption(
      new Option(
        '--match <baseline=candidate>',
        'compare these variants, such as "sse @old=sse @new" (may be repeated; default: those with the ' +
          'same name)',
      )
        .default([] as string[], 'none')
        .argParser(collect),
    )
    .addOption(simulatedToo)
    .action(async (baseline: string, candidate: string, options: CompareFlags & MatchFlags) => {
      const { compareCommand } = await loaded(import('./compare.ts'));
      process.exitCode = await compareCommand(baseline, candidate, options);
    });

  const dir = new Option('--dir <folder>', 'where baselines are kept').default('baselines');
  const baseline = root
    .command('baseline')
    .description('baselines as small files in a repository: save, list, check');
  baseline
    .command('save')
    .description('keep the runs of a result as a baseline; an earlier one of that name is replaced')
    .argument('<name>', 'what to call it')
    .argument('<result>', "a result.json, a run's folder, or a folder of runs")
    .addOption(dir)
    .action(async (name: string, result: string, options: BaselineFlags) => {
      const { saveBaseline } = await loaded(import('./baseline.ts'));
      process.exitCode = await saveBaseline(name, result, options);
    });
  baseline
    .command('list')
    .description('list the baselines: what was measured, when and where')
    .addOption(dir)
    .action(async (options: BaselineFlags) => {
      const { listBaselines } = await loaded(import('./baseline.ts'));
      process.exitCode = listBaselines(options);
    });
  withOutputs(baseline.command('check'))
    .description('compare a result with a baseline, by the gate of its scenario')
    .argument('<name>', 'of the baseline')
    .argument('<result>', "a result.json, a run's folder, or a folder of runs")
    .addOption(dir)
    .addOption(simulatedToo)
    .action(async (name: string, result: string, options: BaselineFlags & CompareFlags) => {
      const { checkBaseline } = await loaded(import('./baseline.ts'));
      process.exitCode = await checkBaseline(name, result, options);
    });

  root
    .command('history')
    .description('the figures of a scenario over its saved runs, with change points marked')
    .argument('<path...>', 'results, baselines, or folders of them')
    .option('--json', 'print it as JSON on standard output', false)
    .option('--html <file>', 'write a page with charts too')
    .option('--simulated-too', 'also take simulated runs', false)
    .action(async (paths: string[], options: HistoryFlags) => {
      const { historyCommand } = await loaded(import('./history.ts'));
      process.exitCode = await historyCommand(paths, options);
    });
}

function addBisect(root: Command, invocation: string): void {
  root
    .command('bisect')
    .description('find the commit of your app that made delivery worse')
    .argument('<good>', 'a commit at which delivery was as it should be: a branch, a tag or a commit')
    .argument('<bad>', 'a later one at which it is worse')
    .argument('<command...>', 'behind --: starts your app in a checkout of a commit')
    .requiredOption('--target <file>', 'how to speak to your app')
    .option('--scenario <scenario>', 'name of a shipped scenario, or path of a YAML file', 'compare')
    .addOption(
      new Option('--set <path=value>', 'override a value of the scenario (may be repeated)')
        .default([] as string[], 'none')
        .argParser(collect),
    )
    .option('--results <dir>', 'where results are kept', 'results')
    .option(
      '--pairs <number>',
      'pairs of trials at each commit; the same number again if they decide nothing (default: as many ' +
        'as needed)',
    )
    .option(
      '--install <command>',
      'installs and builds in each checkout (default: the packages installed here, or npm ci if the ' +
        'lock file differs)',
    )
    .option('--app <folder>', 'where your app is, in its git repository', '.')
    .option('--json', 'print the bisection as JSON on standard output', false)
    .option('--quiet', 'print nothing while it runs', false)
    .addHelpText(
      'after',
      `
Example: ${invocation} bisect v1.0 HEAD --target app.yaml --scenario delivery.yaml -- node server.js`,
    )
    .action(async (good: string, bad: string, command: string[], options: BisectFlags) => {
      const { bisectCommand } = await loaded(import('./bisect.ts'));
      process.exitCode = await bisectCommand(good, bad, command, options, invocation);
    });
}
