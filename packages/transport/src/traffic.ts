import type { Traffic } from '@tutti/protocol';

/** Traffic as its owner sees it. */
export interface TrafficCounter extends Traffic {
  sentBytes: number;
  receivedBytes: number;
}

export function createTraffic(): TrafficCounter {
  return { sentBytes: 0, receivedBytes: 0 };
}

export function bytesOf(frames: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const frame of frames) bytes += frame.length;
  return bytes;
}
