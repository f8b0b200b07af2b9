import { checkSendable, decode, type Envelope, encode } from '@tutti/protocol';
import { bytesOf } from '../traffic.js';

/** A message between its two ends in memory. */
export interface Parcel {
  readonly bytes: number;
  /** @throws TuttiError BAD_FRAME */
  open(): Envelope;
  /** Called once the envelope was handled: its payload is not valid any more. */
  spoil(): void;
}

export type Wrap = (envelope: Envelope) => Parcel;

/**
 * Through the codec, as over a wire. The payload is copied only when it arrives, and spoilt once it
 * was handled: who writes to it too early or reads it too late is found out.
 */
export const wrapEncoded: Wrap = (envelope) => {
  const frames = encode(envelope);
  let copy: Uint8Array | undefined;
  return {
    bytes: bytesOf(frames),
    open() {
      const [header, payload] = frames;
      copy = payload === undefined ? undefined : new Uint8Array(payload);
      return decode(copy === undefined ? [header!] : [header!, copy]);
    },
    spoil: () => void copy?.fill(SPOILT),
  };
};

const ignore = () => {};

/** Four of it are a NaN. */
const SPOILT = 0xff;

/** As `wrapEncoded` in what becomes of payloads, but no header is made: a good deal faster. */
export const wrapCopied: Wrap = (envelope) => {
  checkSendable(envelope);
  const { message, payload } = envelope;
  if (payload === undefined) return { bytes: 0, open: () => envelope, spoil: ignore };
  let copy: Uint8Array | undefined;
  return {
    bytes: payload.length,
    open() {
      copy = new Uint8Array(payload);
      return { message, payload: copy };
    },
    spoil: () => void copy?.fill(SPOILT),
  };
};

/** By reference. Counts payloads only: no header is made. */
export const wrapReference: Wrap = (envelope) => {
  checkSendable(envelope);
  return { bytes: envelope.payload?.length ?? 0, open: () => envelope, spoil: ignore };
};

/** Frames as they are, to try what a peer with a fault, or a foe, could send. */
export function wrapRaw(frames: readonly Uint8Array[]): Parcel {
  return { bytes: bytesOf(frames), open: () => decode(frames), spoil: ignore };
}
