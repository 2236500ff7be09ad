// Holds options that make a receiver, and values that a program without types may hand over instead.

import { schemes, type ReceiverOptions } from '../../receiver/index.ts';

export const good: ReceiverOptions = {
  scheme: 'standard',
  secrets: [schemes.standard.newSecret()],
  onDelivery: () => {},
};

/** What a program without types may hand over. */
export const odd = {
  NaN: Number.NaN,
  minusOne: -1,
  infinite: Infinity,
  minusInfinite: -Infinity,
  text: '300',
  nothing: null,
  list: [300],
  map: {},
  yes: true,
  big: 10n,
  invalidDate: new Date(Number.NaN),
  date: new Date(),
  object: { valueOf: () => 300 },
};
