// Knows at which server each topic has events that are not answered yet. While there are some, the topic's
// next event goes to that server too: at another it could be taken first, and the topic's subscribers would
// get its events in another order than they were published in.

export type TopicPlaces<Server> = {
  /** The server with the topic's unanswered events; undefined when there are none. */
  find(topic: number): Server | undefined;
  sent(topic: number, server: Server): void;
  /**
   * One of the topic's events was answered, or came back without an answer.
   * @returns whether it was the last
   */
  settled(topic: number): boolean;
};

export function createTopicPlaces<Server>(): TopicPlaces<Server> {
  const places = new Map<number, { readonly server: Server; unanswered: number }>();
  return {
    find: (topic) => places.get(topic)?.server,
    sent(topic, server) {
      const place = places.get(topic);
      if (place) place.unanswered++;
      else places.set(topic, { server, unanswered: 1 });
    },
    settled(topic) {
      const place = places.get(topic);
      if (!place || --place.unanswered > 0) return false;
      return places.delete(topic);
    },
  };
}
