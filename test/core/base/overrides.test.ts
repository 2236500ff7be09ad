// `--set`: what stands in a scenario is replaced by its path, and a path that leads nowhere is refused.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { base, mistakesIn, read } from './mistakes.ts';

describe('overrides', () => {
  const yaml = `# a comment that stays
question: What?
subscribers: 10
topics:
  news: { publish: 5/s }
  a.b: { publish: 5/s }
  5: { publish: 5/s }
phases: {}
variants: [polling, sse] # two of them
expect: [missed == 0, { check: reordered == 0, for: [polling] }]
`;
  const rows: [
    overrides: string[],
    pick: (scenario: ReturnType<typeof read>['scenario']) => unknown,
    value: unknown,
  ][] = [
    [['subscribers=1000'], ({ subscribers }) => subscribers, 1000],
    [['subscribers=1000', 'subscribers=2000'], ({ subscribers }) => subscribers, 2000],
    [['phases.measure=20s'], ({ phases }) => phases.measure, 20_000],
    [['server.slow=drop'], ({ server }) => server.slow, 'drop'],
    [['topics.news.publish=100/s'], ({ topics }) => topics['news']!.publish, { kind: 'constant', perS: 100 }],
    [
      ['topics.news.publish={ poisson: 3/s }'],
      ({ topics }) => topics['news']!.publish,
      { kind: 'poisson', perS: 3 },
    ],
    [
      ['topics.news.publish=0.5/s each'],
      ({ topics }) => topics['news']!.publish,
      { kind: 'constant', perS: 0.5, each: true },
    ],
    [
      ['topics.news.publish={ bursts: { size: 8 each, every: 500ms } }'],
      ({ topics }) => topics['news']!.publish,
      { kind: 'bursts', size: 8, everyMs: 500, each: true },
    ],
    [['topics["a.b"].count=3'], ({ topics }) => topics['a.b']!.count, 3],
    [['topics.5.count=3'], ({ topics }) => topics['5']!.count, 3],
    [['topics.5={publish: 1/s}'], ({ topics }) => Object.keys(topics).length, 3],
    [['topics.mail={publish: 1/s}'], ({ topics }) => Object.keys(topics).length, 4],
    [
      ['variants[0].polling.every=2s'],
      ({ variants }) => variants.map(({ label }) => label),
      ['polling every=2s', 'sse'],
    ],
    [
      ['variants=[sse, websocket]'],
      ({ variants }) => variants.map(({ label }) => label),
      ['sse', 'websocket'],
    ],
    [['expect[0]=missed < 5'], ({ expect }) => expect[0]!.check, 'missed < 5'],
    [['question=Is a=b, or #c?'], ({ question }) => question, 'Is a=b, or'],
    [['question="Is a=b, or #c?"'], ({ question }) => question, 'Is a=b, or #c?'],
  ];
  for (const [overrides, pick, value] of rows) {
    test(overrides.join(' '), () => {
      const { scenario, source } = read(yaml, overrides);
      assert.deepEqual(pick(scenario), value);
      assert.deepEqual(read(source).scenario, scenario, 'the source is what ran');
      assert.match(source, /^# a comment that stays\n/);
      assert.match(source, /# two of them\n|variants:\n/);
    });
  }

  test('long lines of the file stay lines', () => {
    const long = base.replace('What?', `${'What '.repeat(50)}?`);
    assert.match(read(long, ['seed=5']).source, /^question: (What ){50}\?$/m);
  });

  test('without any, the source is the text as it was', () => assert.equal(read(yaml).source, yaml));

  test('a key with nothing behind it can be filled', () => {
    assert.equal(read(`${base}phases:\n`, ['phases.measure=20s']).scenario.phases.measure, 20_000);
  });

  test('an empty file can be set as a whole', () => {
    assert.equal(
      read('', ['question=What?', 'subscribers=1', 'topics={ a: { publish: 5/s } }']).scenario.subscribers,
      1,
    );
  });

  const how = 'write it as path=value, such as phases.measure=20s or variants[0].polling.every=2s';
  const wrong: [overrides: string[], mistakes: string[]][] = [
    [['subscribers'], [`--set subscribers: ${how}`]],
    [['=5'], [`--set =5: ${how}`]],
    [['a..b=5'], [`--set a..b=5: ${how}`]],
    [['a[x]=5'], [`--set a[x]=5: ${how}`]],
    [
      ['seed=['],
      ['--set seed=[: its value cannot be read: this is not YAML: Flow sequence must end with a ]'],
    ],
    [['seed=*x'], ['--set seed=*x: its value cannot be read: the alias *x has no anchor &x before it']],
    [['subscriber=5'], ['--set subscriber=5: subscriber: unknown key; did you mean "subscribers"?']],
    [['phases.mesure=5s'], ['--set phases.mesure=5s: phases.mesure: unknown key; did you mean "measure"?']],
    [['subscribers=many'], ['--set subscribers=many: subscribers: expected a whole number; got "many"']],
    [['subscribers='], ['--set subscribers=: subscribers: expected a whole number; got nothing']],
    [
      ['topics.news={publish: 5}'],
      [
        '--set topics.news={publish: 5}: topics.news.publish: expected a ' +
          'rate with its unit, such as 200/s, or 6/m each; got 5',
      ],
    ],
    [
      ['topics.news.publish.poisson=5/s'],
      [
        '--set topics.news.publish.poisson=5/s: topics.news.publish is 5/s, which has no "poisson" in ' +
          'it; set topics.news.publish as a whole',
      ],
    ],
    [
      ['variants[1].polling.every=2s'],
      [
        '--set variants[1].polling.every=2s: variants[1] is sse, which has no "polling" in it; set ' +
          'variants[1] as a whole',
      ],
    ],
    [
      ['variants[2]=sse'],
      ['--set variants[2]=sse: variants has 2 entries, counted from 0; set variants as a whole'],
    ],
    [
      ['variants.sse.over=h2'],
      ['--set variants.sse.over=h2: variants is a list; name an entry by its number, such as variants[0]'],
    ],
    [
      ['topics[0].count=5'],
      ['--set topics[0].count=5: topics is not a list; name one of its keys: news, a.b, 5'],
    ],
    [['faults[0].at=5s'], ['--set faults[0].at=5s: the file has no faults; set it as a whole']],
    [
      ['[0]=5'],
      [
        '--set [0]=5: the scenario is not a list; name one of its keys: question, subscribers, topics, ' +
          'phases, variants, expect',
      ],
    ],
    [
      ['phases.drain=1s'],
      [
        '9:12: variants[0]: an event of "polling" may wait 1.1s by design, but counts as missed after ' +
          '1s; make phases.drain longer than that',
      ],
    ],
    [
      ['seed=x', 'nope', 'repeat=y'],
      [
        '--set nope: ' + how,
        '--set seed=x: seed: expected a whole number; got "x"',
        '--set repeat=y: repeat: expected a whole number; got "y"',
      ],
    ],
  ];
  for (const [overrides, mistakes] of wrong) {
    test(`${overrides.join(' ')} is refused`, () =>
      assert.deepEqual(mistakesIn(yaml, overrides).toSorted(), mistakes.toSorted()));
  }

  test('a value behind an alias is not changed for others too', () => {
    const aliased = 'question: What?\nsubscribers: 1\ntopics: { a: &a { publish: 5/s }, b: *a }\n';
    assert.deepEqual(mistakesIn(aliased, ['topics.b.publish=6/s']), [
      '--set topics.b.publish=6/s: topics.b is the alias *a, so a change would reach other places too; ' +
        'set topics.b as a whole',
    ]);
    assert.deepEqual(read(aliased, ['topics.b={publish: 6/s}']).scenario.topics['a']!.publish, {
      kind: 'constant',
      perS: 5,
    });
  });

  test('when they choose other variants, expectations of the variants in the file are left out', () => {
    assert.deepEqual(read(yaml, ['variants=[sse]']).scenario.expect, [
      { check: 'missed == 0', for: undefined, where: undefined },
    ]);
    assert.deepEqual(
      read(yaml.replace('[polling] }', '[polling, sse] }'), ['variants=[sse]']).scenario.expect[1],
      { check: 'reordered == 0', for: ['sse'] },
    );
    assert.deepEqual(mistakesIn(yaml.replace('[polling] }', '[pollin] }'), ['variants=[sse]']), [
      '10:54: expect[1].for[0]: no variant "pollin" is in this scenario; did you mean "polling"?',
    ]);
  });
});
