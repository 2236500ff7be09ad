// Speaks with a server over a plain socket, and writes down what goes over it.

import { connect } from 'node:net';
import type { RunningServer } from '../../servers/start.ts';
import { steadyText } from './steady-text.ts';

/** `>` is sent to the server, `<` comes from it, `#` is said to the reader. */
export type Line = { by: '#' | '>' | '<'; text: string };

/** The exchange on a pattern's page: one file of pages/ each, called as the pattern. */
export type Exchange = {
  /** Options of the server that differ from the defaults, as a scenario writes them. */
  options?: Readonly<Record<string, unknown>>;
  /** Has the conversation; what is said goes into `lines`. */
  talk(server: RunningServer, lines: Line[]): Promise<void>;
};

const patienceMs = 10_000;

export function get(path: string, headers: Record<string, string> = {}): string {
  const all = Object.entries({ Host: '127.0.0.1:8080', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `GET ${path} HTTP/1.1\r\n${all.join('')}\r\n`;
}

export async function publish(server: RunningServer): Promise<void> {
  await fetch(`${server.endpoint.publishUrl}/topics/news`, {
    method: 'POST',
    body: '{"headline":"it works"}',
  });
}

export const portOf = (server: RunningServer) => Number(new URL(server.endpoint.url).port);

/** A connection that writes down what goes over it. */
export async function dial(server: RunningServer, lines: Line[]) {
  const socket = connect(portOf(server), '127.0.0.1').setEncoding('latin1');
  await new Promise((resolve) => socket.once('connect', resolve));
  let come = '';
  socket.on('data', (text: string) => (come += text));
  const stable = (text: string) => steadyText(text, server);
  return {
    note: (text: string) => lines.push({ by: '#', text }),
    say(text: string) {
      lines.push({ by: '>', text: stable(text) });
      socket.write(text, 'latin1');
    },
    /** Waits for all of it, and picks a part. */
    async heard(whole: RegExp, part?: RegExp): Promise<string> {
      await until(
        () => whole.test(come),
        () => `${whole} did not come: ${come}`,
      );
      lines.push({ by: '<', text: stable(come) });
      const picked = part?.exec(come)?.[1] ?? '';
      come = '';
      return picked;
    },
    pause,
    end: () => socket.destroy(),
  };
}

async function until(holds: () => boolean, otherwise: () => string): Promise<void> {
  for (const end = Date.now() + patienceMs; !holds(); await pause())
    if (Date.now() > end) throw new Error(otherwise());
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
