// Lets requests and upgrades into a server, or answers why not: the rule of core/http/access.ts in front of
// every route of a port, before anything is read or done.

import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { hostname } from 'node:os';
import type { Duplex } from 'node:stream';
import type { Counters } from '../../core/result/counters.ts';
import { createJudge, type Judge, type OpenedListener } from '../../core/http/access.ts';
import type { Request, Response } from '../pattern.ts';
import { answerError, endWith } from './request.ts';
import { endWithError } from './socket-answer.ts';

export type GateOptions = Omit<OpenedListener, 'address' | 'machine'> & { counters: Counters };

type Serve = (request: Request, response: Response) => void;
type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** In front of one port. Refusals are counted as such. */
export type Gate = {
  requests(route: Serve): Serve;
  upgrades(take: (...given: [...Parameters<Upgrade>, mayPublish: boolean]) => void): Upgrade;
};

/** @param server of a TCP port; which hosts it is opened for shows when it listens */
export function createGate(server: Server, { counters, ...options }: GateOptions): Gate {
  let judge: Judge = () => {
    throw new Error('a request came before its server listened');
  };
  server.once('listening', () => {
    const { address } = server.address() as AddressInfo; // a TCP listener's address is never a path
    judge = createJudge({ ...options, address, machine: hostname() });
  });

  return {
    requests: (route) => (request, response) => {
      const verdict = judge(request);
      switch (verdict.kind) {
        case 'refused':
          counters.refusals++;
          return answerError(response, verdict.status, verdict.code, verdict.message);
        case 'preflight':
          return endWith(response, 204, verdict.headers);
        case 'served':
          for (const name in verdict.headers) response.setHeader(name, verdict.headers[name]!);
          return route(request, response);
      }
    },
    upgrades: (take) => (request, socket, head) => {
      const verdict = judge(request);
      if (verdict.kind === 'served') return take(request, socket, head, verdict.mayPublish);
      counters.refusals++;
      endWithError(socket, verdict.kind === 'refused' ? verdict : noUpgrade);
    },
  };
}

const noUpgrade = { status: 405, code: 'method', message: 'a preflight is not an upgrade' };
