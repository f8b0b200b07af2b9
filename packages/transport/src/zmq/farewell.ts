/**
 * A farewell is the one frame on the wire that is no message: it tells a connection that it is over.
 * The listener sends one to a peer that it cuts off, with its reason; and libzmq puts one behind the
 * last received message when the peer is gone. Its first byte never occurs in msgpack.
 */
const FIRST_BYTE = 0xc1;
const MAX_REASON_BYTES = 1000;

export function farewell(reason: string): Buffer {
  return Buffer.concat([Buffer.of(FIRST_BYTE), Buffer.from(reason).subarray(0, MAX_REASON_BYTES)]);
}

/** The reason in a farewell; undefined if the frames are anything else. */
export function readFarewell(frames: readonly Uint8Array[]): string | undefined {
  const [frame] = frames;
  if (frames.length !== 1 || frame?.[0] !== FIRST_BYTE) return undefined;
  return Buffer.from(frame.subarray(1, 1 + MAX_REASON_BYTES)).toString();
}
