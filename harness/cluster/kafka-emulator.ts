// Says how what stands in for Kafka is started. No broker of Kafka is a package of Debian. kcat has one in it
// for tests (librdkafka's mock cluster), which runs as long as its input is open, and forgets all when it
// ends.

/** @param folder for its input, which it holds the other end of */
export function kafkaEmulatorCommand(folder: string): readonly [string, ...string[]] {
  return [
    'sh',
    '-c',
    'mkfifo "$0/in" && exec kcat -P -t pushbench -b ignored:1 -X test.mock.num.brokers=1 0<>"$0/in"',
    folder,
  ];
}

/** Where it says which port it has chosen; the first group is host and port. */
export const kafkaEmulatorSays = /replaced with (127\.0\.0\.1:\d+)/;
