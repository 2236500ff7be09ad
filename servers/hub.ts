// The hub that all patterns stand on: topics, a bounded history, publish and subscribe.
export type Hub = { placeholder: true };
