// Holds the few numbers that the fixture's figures are made from, for each pattern.

import type { PatternName } from '../../core/pattern/registry.ts';

export type Shape = {
  pattern: PatternName;
  /** Median latency; polling waits evenly up to an interval instead. */
  medianUs: number;
  /** Spread of the logarithm of the latency. */
  sigma: number;
  serverCpuUs: number;
  clientCpuUs: number;
  requestsPerDelivery: number;
  bytesPerDelivery: number;
  descriptors: number;
  fanoutUs: number;
};

export const shapes: readonly Shape[] = [
  {
    pattern: 'polling',
    medianUs: 0,
    sigma: 0,
    serverCpuUs: 42,
    clientCpuUs: 31,
    requestsPerDelivery: 0.11,
    bytesPerDelivery: 431,
    descriptors: 100,
    fanoutUs: 900_000,
  },
  {
    pattern: 'long-polling',
    medianUs: 4200,
    sigma: 0.5,
    serverCpuUs: 118,
    clientCpuUs: 55,
    requestsPerDelivery: 1,
    bytesPerDelivery: 742,
    descriptors: 100,
    fanoutUs: 5800,
  },
  {
    pattern: 'http-stream',
    medianUs: 1250,
    sigma: 0.42,
    serverCpuUs: 18,
    clientCpuUs: 14,
    requestsPerDelivery: 0,
    bytesPerDelivery: 388,
    descriptors: 100,
    fanoutUs: 1100,
  },
  {
    pattern: 'sse',
    medianUs: 1310,
    sigma: 0.42,
    serverCpuUs: 20,
    clientCpuUs: 15,
    requestsPerDelivery: 0,
    bytesPerDelivery: 409,
    descriptors: 100,
    fanoutUs: 1200,
  },
  {
    pattern: 'websocket',
    medianUs: 1190,
    sigma: 0.45,
    serverCpuUs: 19,
    clientCpuUs: 13,
    requestsPerDelivery: 0,
    bytesPerDelivery: 382,
    descriptors: 100,
    fanoutUs: 1150,
  },
  {
    pattern: 'webhook',
    medianUs: 14_500,
    sigma: 0.7,
    serverCpuUs: 240,
    clientCpuUs: 130,
    requestsPerDelivery: 1.004,
    bytesPerDelivery: 812,
    descriptors: 5,
    fanoutUs: 31_000,
  },
];
