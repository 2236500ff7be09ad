// Asks on a terminal for what `pushbench advise` needs to know, and gives the answers as its flags.

import input from '@inquirer/input';
import select from '@inquirer/select';
import { exitCodes, UserError } from '../core/base/errors.ts';
import { clientsOf, everyOf, withinOf, type NeedFlags } from './advise-flags.ts';

/** What asks; the prompts of @inquirer where nobody gives others. */
export type Prompts = {
  select(question: { message: string; choices: { name: string; value: string }[] }): Promise<string>;
  input(question: {
    message: string;
    default?: string;
    validate(text: string): true | string;
  }): Promise<string>;
};

/** As {@link answersOf}; Ctrl-C is not a defect. */
export async function ask(flags: NeedFlags): Promise<NeedFlags> {
  try {
    return await answersOf(flags, { select, input });
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ExitPromptError') throw error;
    throw new UserError('advise', 'Ended before all questions were answered.', exitCodes.interrupted);
  }
}

/** @param flags the flags already given, none of which is asked for here */
export async function answersOf(flags: NeedFlags, prompts: Prompts): Promise<NeedFlags> {
  const right = (checked: object | string) => (typeof checked === 'string' ? checked : true);
  const choose = (message: string, choices: Record<string, string>) =>
    prompts.select({
      message,
      choices: Object.entries(choices).map(([value, name]) => ({ name, value })),
    });
  const to = await choose('Who needs to know when something changes?', {
    browser: 'pages of browsers',
    app: 'apps and programs that people run',
    server: 'other servers',
  });
  const direction = await choose('Who sends?', {
    down: 'the server: clients listen',
    both: 'both: clients send as much, and as urgently',
  });
  const clients = await prompts.input({
    message: 'How many clients?',
    default: '1000',
    validate: (text) => right(clientsOf(text.trim())),
  });
  const shared = await choose('Which updates do they get?', {
    own: 'each its own',
    shared: 'all the same',
  });
  const every = await prompts.input({
    message: 'How long is it between two updates of one client (2s, 5m, 1h)?',
    default: '2s',
    validate: (text) => right(everyOf({ every: text.trim() })),
  });
  const within = await prompts.input({
    message: 'How late may an update be (500ms, 30s; empty: it does not matter)?',
    validate: (text) => (text.trim() === '' ? true : right(withinOf(text.trim()))),
  });
  const reachable =
    to === 'server' &&
    (await choose('Do receivers have an address that your server can call?', { yes: 'yes', no: 'no' })) ===
      'yes';
  const hold = await choose('What may stay open between them?', {
    streams: 'a connection for as long as the client is there',
    requests: 'a request until it is answered (proxies that buffer, old clients)',
    nothing: 'nothing (functions as a service, proxies that cut)',
  });
  const missed = await choose('What if a client is away?', {
    'catch-up': 'it gets what it missed when it comes back soon',
    ok: 'it may miss updates',
    never: 'nothing may ever be missed, through outages and restarts',
  });
  return {
    ...flags,
    to,
    bothWays: direction === 'both',
    clients: clients.trim(),
    shared: shared === 'shared',
    every: every.trim(),
    ...(within.trim() !== '' && { within: within.trim() }),
    reachable,
    hold,
    missed,
  };
}
