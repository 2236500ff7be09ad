// Reads where a URL leads: the host and the port that a connection is made to.

/** Where a URL names no port. */
const usualPorts: Readonly<Record<string, number | undefined>> = {
  'http:': 80,
  'https:': 443,
  'ws:': 80,
  'wss:': 443,
  'redis:': 6379,
  'nats:': 4222,
  'kafka:': 9092,
};

export type Address = {
  /** A name or an address; IPv6 without the brackets that it has in a URL. */
  host: string;
  port: number;
};

/** @throws TypeError when it is not a URL, or one without a port whose scheme has no usual one */
export function addressOf(given: string | URL): Address {
  const { hostname, port, protocol } = new URL(given);
  const number = port === '' ? usualPorts[protocol] : Number(port);
  if (number === undefined) throw new TypeError(`an address that begins with ${protocol} needs a port`);
  return { host: bareHost(hostname), port: number };
}

/** The host of a URL, IPv6 without its brackets. */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
