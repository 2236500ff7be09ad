// Declares the commands and their options. Each command's own file is loaded when it runs, so that --help
// stays quick.

import { Command, Option } from 'commander';
import { exitCodes } from '../core/base/errors.ts';
import { loopback } from '../core/base/loopback.ts';
import { version } from '../harness/run/version.ts';
import { addAdvise } from './advise-options.ts';
import { addCalibrate } from './calibrate-options.ts';
import { addComparisonCommands, collect } from './comparison-commands.ts';
import { addExitCodes } from './exit-table.ts';
import { addPlan } from './plan-options.ts';
import { addReceive } from './receive.ts';
import type { ReportFlags } from './report.ts';
import type { ClaimsFlags } from './claims.ts';
import type { RunFlags } from './run.ts';
import { loaded } from './signals.ts';
import { addSimulate } from './simulate-options.ts';
import { addServingCommands } from './serving-commands.ts';
import { addWorker } from './worker.ts';
import { tokenVariable } from './run-workers.ts';

/**
 * What goes before the arguments to repeat a command: from the repository npm start,
 * else the package's own name.
 */
const invocation = process.env['npm_lifecycle_event'] === 'start' ? 'npm start --' : 'pushbench';

const set = new Option(
  '--set <path=value>',
  'override a value of the scenario, such as phases.measure=20s (may be repeated)',
)
  .default([] as string[], 'none')
  .argParser(collect);

const allowHost = new Option(
  '--allow-host <name>',
  'answer to this name too, such as the name of a proxy in front; any other Host is refused (may be ' +
    'repeated)',
)
  .default([] as string[], 'none')
  .argParser(collect);

export function createProgram(): Command {
  const root = new Command('pushbench')
    // Before the commands are added, so that they take it over.
    .exitOverride((error) => process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage))
    .description(
      'When something changes on the server, how should the client find out?\n' +
        'Measures polling, long-polling, HTTP streaming, SSE, ' +
        'WebSocket and webhooks under one event stream.',
    )
    .version(version)
    .showHelpAfterError(`(${invocation} --help lists the commands)`);

  addRun(root);
  addSimulate(root, set, invocation);
  addPlan(root, invocation);
  addServe(root);
  addReceive(root, allowHost);
  addServingCommands(root);
  addWorker(root);
  addTarget(root);
  addScenarios(root);
  addAdvise(root, invocation);
  addCalibrate(root, invocation);
  addResults(root);
  addComparisonCommands(root, invocation);
  addExitCodes(root);
  return root;
}

function addRun(root: Command): void {
  root
    .command('run', { isDefault: true })
    .description('run a scenario and write its result and report (the default: compare)')
    .argument('[scenario]', 'name of a shipped scenario, or path of a YAML file', 'compare')
    .addOption(set)
    .option('--results <dir>', 'where results are kept', 'results')
    .option('--json', 'print the result as JSON on standard output instead of the table', false)
    .option('--quiet', 'print nothing while it runs', false)
    .addOption(
      new Option(
        '--target <file>',
        'run the variants against the system that this file describes, too (may be repeated)',
      )
        .default([] as string[], 'none')
        .argParser(collect),
    )
    .option('--no-reference', 'leave our own servers out')
    .option(
      '--inject <settings>',
      'make our servers worse on purpose: delay=5ms, cpu=50us/msg, descriptors=1/connection, loss=0.1%, ' +
        'duplicates=0.1% (docs/comparison.md)',
    )
    .option('--interactive', 'a report whose charts can be hovered and zoomed (larger file)', false)
    .option('--junit <file>', 'write JUnit XML too, a case for each expectation')
    .option('--markdown <file>', 'write Markdown too, for a job summary')
    .option(
      '--workers <url>',
      'have the load made by workers that wait at this Redis, on this machine or others ' +
        '(docs/how-to/several-machines.md)',
    )
    .option('--token <secret>', `what the workers were given, too; ${tokenVariable} in its place`)
    .option('--worker-count <number>', 'how many workers (default: all that wait there)')
    .option('--listen <address>', 'the address of this machine that workers reach the servers by')
    .action(async (scenario: string, options: RunFlags) => {
      const { runCommand } = await loaded(import('./run.ts'));
      process.exitCode = await runCommand(scenario, { ...options, invocation });
    });
}

function addServe(root: Command): void {
  root
    .command('serve')
    .description('run one reference server, with a page for browsers and commands for a terminal')
    .argument('<pattern>', 'polling, long-polling, http-stream, sse, websocket or webhook')
    .option('--port <number>', 'port to listen on', '8080')
    .option(
      '--host <address>',
      'address to listen on; 0.0.0.0 lets other machines in, without a password except for the API and ' +
        'dashboard of webhooks (web pages: docs/wire.md, who may ask)',
      loopback(),
    )
    .addOption(allowHost)
    .addOption(
      new Option(
        '--set <option=value>',
        "override one of the pattern's options, such as hold=5s (may be repeated)",
      )
        .default([] as string[], 'none')
        .argParser(collect),
    )
    .option(
      '--tls',
      'clients use TLS, with the test certificate, which protects nothing; events are published in ' +
        'clear text on a second port',
      false,
    )
    .option(
      '--receiver [topics]',
      'webhook: start a receiver beside it that follows these topics (news,orders; the default is news), ' +
        'with a page that makes it fail, hang, be slow or lose its answers',
    )
    .action(
      async (
        pattern: string,
        options: {
          port: string;
          host: string;
          allowHost: string[];
          set: string[];
          tls: boolean;
          receiver?: string | true;
        },
      ) => {
        const { serveCommand } = await loaded(import('./serve.ts'));
        process.exitCode = await serveCommand(pattern, { ...options, invocation });
      },
    );
}

function addTarget(root: Command): void {
  root
    .command('target')
    .description('target files, which describe your own systems')
    .command('check')
    .description(
      'subscribe by every pattern that the file describes, publish ' +
        'one event, say what works and what to fix',
    )
    .argument('<file>', 'a target file')
    .option('--topic <name>', 'the topic to publish on', 'pushbench-check')
    .action(async (file: string, options: { topic: string }) => {
      const { targetCheckCommand } = await loaded(import('./target.ts'));
      process.exitCode = await targetCheckCommand(file, options);
    });
}

/** What looks at scenarios without running them. */
function addScenarios(root: Command): void {
  root
    .command('validate')
    .description('check scenario files without running them')
    .argument('<scenario...>', 'names or paths')
    .addOption(set)
    .action(async (scenarios: string[], options: { set: string[] }) => {
      const { validateCommand } = await loaded(import('./validate.ts'));
      process.exitCode = validateCommand(scenarios, options.set);
    });

  root
    .command('list')
    .description('list the shipped scenarios and the question that each answers')
    .action(async () => {
      const { listCommand } = await loaded(import('./list.ts'));
      listCommand(invocation);
    });
}

/** What reads results that are there. */
function addResults(root: Command): void {
  root
    .command('report')
    .description('rebuild a report from results; several results share one report')
    .argument('<result...>', 'result.json files, or the folders that hold them')
    .option(
      '--out <file>',
      'where to write it, - for standard output (default: report.html or card.svg in the folder of the ' +
        'run, or beside those of several; other formats: -)',
    )
    .option('--format <name>', 'html, card, markdown, junit, csv, hlog, hgrm, summary or json', 'html')
    .option('--interactive', 'charts that can be hovered and zoomed (larger file)', false)
    .addOption(new Option('--json', 'the same as --format json').default(false).conflicts(['format', 'out']))
    .action(async (paths: string[], options: ReportFlags) => {
      const { reportCommand } = await loaded(import('./report.ts'));
      process.exitCode = await reportCommand(paths, options);
    });

  root
    .command('open')
    .description('browse results: an index of runs on 127.0.0.1, with every format of each')
    .argument('[folder]', 'where results are kept', 'results')
    .option('--port <number>', 'port on 127.0.0.1, 0 for any free one', '8090')
    .addOption(allowHost)
    .action(async (folder: string, options: { port: string; allowHost: string[] }) => {
      const { openCommand } = await loaded(import('./open.ts'));
      process.exitCode = await openCommand(folder, options);
    });

  root
    .command('claims')
    .description('make the page that compares what an article claims with what was measured')
    .argument(
      '[result...]',
      'result.json files, or the folders that hold them; none: the page from the stored figures',
    )
    .option('--figures <file>', 'the figures of other scenarios (default: those of the repository)')
    .option('--out <file>', 'write the page to this file')
    .option(
      '--write',
      'in a checkout: write figures and page, docs/results/claims.json and docs/claims.md',
      false,
    )
    .action(async (paths: string[], options: ClaimsFlags) => {
      const { claimsCommand } = await loaded(import('./claims.ts'));
      process.exitCode = await claimsCommand(paths, options);
    });
}
