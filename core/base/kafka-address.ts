// Decides which addresses of Kafka can be used. The client (KafkaJS) takes all before the first colon for the
// host, so it cannot be told an IPv6 address; it can use one that a name leads to, or that Kafka tells it.

/** What to write in place of an address that is refused here. */
export const kafkaHostError =
  'the client of Kafka cannot be told an IPv6 address; write a host name that leads to it or an IPv4 address';

/** @param url what is no URL is for others to refuse */
export function hasKafkaHost(url: string): boolean {
  return URL.parse(url)?.hostname.startsWith('[') !== true;
}
