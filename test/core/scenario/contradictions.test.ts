// Settings that are each allowed and together impossible: refused with the reason, before anything runs.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { base, mistakesIn } from '../base/mistakes.ts';

describe('values that are impossible together are refused with the reason', () => {
  const rows: [reads: string, text: string, mistakes: string[]][] = [
    [
      'sticky sessions where nobody reads requests',
      `${base}servers: { count: 2, in-front: haproxy-sticky }\nvariants: [sse, { sse: { over: h2 } }]`,
      [
        '5:17: variants[1]: sticky sessions are a cookie in HTTP/1.1, and "sse h2" speaks HTTP/2, which ' +
          'HAProxy passes on without reading it; use servers.in-front: haproxy',
      ],
    ],
    [
      'a proxy that is not there',
      `${base}servers: { count: 2 }\nvariants: [sse]\nfaults: [{ at: 1s, in-front: reload }]`,
      [
        '6:30: faults[0].in-front: subscribers find these servers by a list, so there is no HAProxy to ' +
          'tell; choose one (servers: { in-front: haproxy })',
      ],
    ],
    [
      'a fault after the measured phase',
      `${base}faults: [{ at: 8s, disconnect: 5% }]`,
      ['4:16: faults[0].at: the measured phase is over after 8s, so nothing would go wrong at 8s'],
    ],
    [
      'an absence that outlasts the trial',
      `${base}faults: [{ at: 7s, leave: 50%, for: 7s }]`,
      [
        '4:37: faults[0].for: the absence would last until 14s, and the ' +
          'trial ends 13s after the measured phase began',
      ],
    ],
    [
      'pages in Chromium that open no stream',
      `${base}variants: [sse, polling]\nbrowser: { tabs: 1, requests: 1/s, chromium: [6] }`,
      ['5:46: browser.chromium: pages in Chromium open streams and sockets, and "polling" is neither'],
    ],
    [
      'messages where there is no way up',
      `${base.replace('5/s', '5/s, by: subscribers')}variants: [{ sse: { over: h2 } }]`,
      [
        '4:12: variants[0]: subscribers publish on "news", which they do ' +
          'over HTTP/1.1; "sse h2" speaks HTTP/2 only',
      ],
    ],
    [
      'half a browser',
      `${base}browser: { tabs: 3, requests: 1/s }\nvariants: [sse]`,
      ['2:14: subscribers: 10 subscribers are not a whole number of browsers with 3 pages each'],
    ],
    [
      'more streams than a browser has connections',
      `${base}browser: { tabs: 10, requests: 1/s }\nvariants: [sse, { sse: { over: h2 } }]`,
      [
        '4:18: browser.tabs: "sse" holds a connection for each page, and a browser opens 6: the next ' +
          'page would wait for ever',
      ],
    ],
    [
      'servers as pages',
      `${base}browser: { tabs: 5, requests: 1/s }\nvariants: [webhook]`,
      ['5:12: variants[0]: the subscribers of "webhook" are servers, not pages of a browser'],
    ],
    [
      'receivers that deliveries do not reach',
      `${base}variants: [sse, { webhook: { receivers: public } }]`,
      [
        '4:17: variants[1]: the receivers of a run are on loopback, and "webhook receivers=public" ' +
          'delivers to public addresses alone; add allow: [127.0.0.0/8]',
      ],
    ],
    [
      'a freeze that outlasts the trial',
      `${base}faults: [{ at: 7s, freeze: load, for: 7s }]`,
      [
        '4:39: faults[0].for: the freeze would last until 14s, and the ' +
          'trial ends 13s after the measured phase began',
      ],
    ],
    [
      'a share of the connections that is none',
      `${base}faults: [{ at: 1s, disconnect: 4% }]`,
      ['4:32: faults[0].disconnect: 4 % of 10 subscribers is none; take a larger share'],
    ],
    [
      'a share of the subscribers that is none in each load process',
      `${base}loadProcesses: 5\nfaults: [{ at: 1s, leave: 20%, for: 1s }]`,
      [
        '5:27: faults[0].leave: 20 % of 2 subscribers in each of 5 load processes is none; ' +
          'take a larger share',
      ],
    ],
    [
      'a share of the endpoints that is none, and one of no request',
      `${base}endpoints: [{ does: fail, share: 0%, of: endpoints }, { does: hang, share: 0% }]`,
      [
        '4:34: endpoints[0].share: 0 % of 10 endpoints is none; take a larger share',
        '4:76: endpoints[1].share: a share of 0 % means no request; take a larger one, or leave it out',
      ],
    ],
    [
      'endpoints where nothing is posted to any',
      `${base}variants: [sse]\nendpoints: [{ does: fail }]`,
      [
        '5:12: endpoints: no variant is a webhook, so there is no endpoint that could misbehave; add one, ' +
          'or leave this out',
      ],
    ],
    [
      'endpoints that fall short after the measured phase',
      `${base}endpoints: [{ does: fail, at: 8s }]`,
      [
        '4:31: endpoints[0].at: the measured phase is over after 8s, so no event would find these ' +
          'endpoints at 8s',
      ],
    ],
    [
      'more topics followed than there are',
      `${base.replace('5/s', '5/s, follow: 2')}`,
      [
        '3:41: topics.news.follow: a subscriber cannot follow 2 topics ' +
          'where the group has one topic; set count too',
      ],
    ],
    [
      'more topics followed than subscribers have',
      `${base.replace('5/s', '5/s, count: per-subscriber, follow: 11')}`,
      [
        '3:64: topics.news.follow: a subscriber cannot follow 11 topics ' +
          'where the group has 10 topics; set count too',
      ],
    ],
    [
      'a drain shorter than the polling interval',
      `${base}phases: { drain: 1s }\nvariants: [sse, polling]`,
      [
        '5:17: variants[1]: an event of "polling" may wait 1.1s by design, but counts as missed after ' +
          '1s; make phases.drain longer than that',
      ],
    ],
    [
      'bodies larger than the server takes',
      `${base}payload: 2MiB`,
      [
        '4:10: payload: bodies of 2 MiB do not arrive: the server refuses bodies larger than ' +
          'server.maxBody (1 MiB), and a subscriber of "http-stream" that is still taking one has more ' +
          'waiting than server.slowBuffer allows (1 MiB); raise server.maxBody and server.slowBuffer, or ' +
          'make the bodies smaller',
      ],
    ],
    [
      "a topic's bodies larger than the server takes",
      base.replace('5/s', '5/s, payload: 1001B') + 'server: { maxBody: 1kB }',
      [
        '3:42: topics.news.payload: bodies of 1,001 B do not arrive: the server refuses bodies larger ' +
          'than server.maxBody (1,000 B); raise server.maxBody, or make the bodies smaller',
      ],
    ],
    [
      'a schedule without an event',
      base.replace('5/s', '1/h'),
      [
        '3:9: topics: less than one event would be published in a measured phase of 8s; publish more ' +
          'often or measure longer',
      ],
    ],
    [
      'more load processes than subscribers',
      `${base}loadProcesses: 11`,
      ['4:16: loadProcesses: 11 load processes cannot share 10 subscribers'],
    ],
    [
      'more subscribers than the server takes',
      `${base}server: { maxSubscribers: 9 }`,
      ['2:14: subscribers: the server would refuse all but 9 of 10 subscribers; raise server.maxSubscribers'],
    ],
    [
      'more topics than the server takes',
      base.replace('5/s', '5/s, count: per-subscriber') + 'server: { maxTopics: 9 }',
      ['3:9: topics: the server would refuse all but 9 of 10 topics; raise server.maxTopics'],
    ],
  ];
  for (const [reads, text, mistakes] of rows) test(reads, () => assert.deepEqual(mistakesIn(text), mistakes));

  test('at the bounds they are possible', () => {
    assert.deepEqual(
      mistakesIn(`${base}variants: [{ webhook: { receivers: public, allow: [127.0.0.0/8] } }]`),
      [],
    );
    assert.deepEqual(
      mistakesIn(`${base}faults: [{ at: 7999ms, disconnect: 5% }, { at: 7s, freeze: load, for: 6s }]
phases: { drain: 5s }
variants: [{ polling: { every: 4s, jitter: 25% } }]
payload: 1MiB
loadProcesses: 10
server: { maxSubscribers: 10, maxTopics: 1 }`),
      [],
    );
  });
});
