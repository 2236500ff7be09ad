// Holds the shortest target file, and reads what tests make of it.

import { parseTarget } from '../../../core/target/file.ts';

export const base =
  'name: feed\nurl: http://127.0.0.1:8082\npublish: /pub/{topic}\nsubscribe:\n  sse: /sub/{topic}\n';

export const parse = (text: string) => parseTarget(text, 'feed.yaml');
