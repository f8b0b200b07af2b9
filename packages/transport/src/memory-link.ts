import { checkSendable, decode, type Envelope, encode } from '@tutti/protocol';
import { bytesOf } from './traffic.js';

/** A message between its two ends in memory. */
export interface Parcel {
  readonly bytes: number;
  /** @throws TuttiError BAD_FRAME */
  open(): Envelope;
}

export type Wrap = (envelope: Envelope) => Parcel;

/**
 * Through the codec, as over a wire. The payload is copied only when it arrives: a sender that
 * writes to it in the meantime, against the contract, is found out as it would be over ZeroMQ.
 */
export const wrapEncoded: Wrap = (envelope) => {
  const frames = encode(envelope);
  return {
    bytes: bytesOf(frames),
    open: () => decode(frames.map((frame, i) => (i === 0 ? frame : new Uint8Array(frame)))),
  };
};

/** By reference. Counts payloads only: no header is made. */
export const wrapReference: Wrap = (envelope) => {
  checkSendable(envelope);
  return { bytes: envelope.payload?.length ?? 0, open: () => envelope };
};

/** Frames as they are, to try what a peer with a fault, or a foe, could send. */
export function wrapRaw(frames: readonly Uint8Array[]): Parcel {
  return { bytes: bytesOf(frames), open: () => decode(frames) };
}
