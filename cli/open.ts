// Implements `pushbench open`: serves the results folder to a browser, on loopback, until Ctrl-C.

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { exitCodes, UserError, type ExitCode } from '../core/base/errors.ts';
import { packageRoot } from '../harness/run/version.ts';
import { serveArchive } from '../reports/open/server.ts';
import { checkedHosts } from './allow-host.ts';
import { print } from './print.ts';
import { checkedPort, portTaken, untilSignal } from './port.ts';

/** Serves until a signal comes. */
export async function openCommand(
  folder: string,
  options: { port: string; allowHost: string[] },
): Promise<ExitCode> {
  const port = checkedPort(options.port);
  const allowHosts = checkedHosts(options.allowHost);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UserError(
      'results-folder',
      `There is no folder ${folder}. Name one that runs wrote their results to, ` +
        'or run something first: pushbench run.',
    );
  }
  const server = await serveArchive(resolve(folder), new URL('docs/', packageRoot), port, allowHosts).catch(
    (error: unknown) => portTaken(error, port),
  );
  print(`Results of ${folder}: ${server.url}\nCtrl-C ends it.`);
  await untilSignal();
  await server.close();
  return exitCodes.ok;
}
