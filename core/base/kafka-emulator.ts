// Names what stands in for Kafka where nobody has named a cluster (librdkafka's mock cluster, in kcat), and
// recognises it.

/** In words, for reports. */
export const kafkaEmulator = "an emulator of Kafka (librdkafka's mock cluster)";

/** @param clusterId as a cluster calls itself: the mock one is `mockCluster` with a number behind it */
export function isKafkaEmulator(clusterId: string): boolean {
  return clusterId.startsWith('mockCluster');
}
