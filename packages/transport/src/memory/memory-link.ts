import {
  checkSendable,
  decode,
  type Envelope,
  encode,
  type Message,
  type PlacePayload,
  PROTOCOL_VERSION,
} from '@tutti/protocol';
import { bytesOf } from '../traffic.js';

/** A message between its two ends in memory. */
export interface Parcel {
  readonly bytes: number;
  /** @throws TuttiError BAD_FRAME */
  open(place?: PlacePayload): Envelope;
  /** The sender goes on: what was only lent, and is not open yet, must be kept now. */
  sent?(): void;
  /** Called once the envelope was handled: its payload is not valid any more. */
  spoil(): void;
}

/** Makes a parcel for each who is sent the same: what takes long is done once, as over a wire. */
export type Wrap = (envelope: Envelope) => () => Parcel;

const ignore = () => {};

/** What was lent stays only if it is copied. */
const payloadOf = ({ payload, lent }: Envelope) => lent?.() ?? payload;

/**
 * Puts a payload where the receiver would have it, else into a copy that is spoilt once it was
 * handled: who writes to it too early or reads it too late is found out.
 */
function createDelivery(payload: Uint8Array) {
  let copy: Uint8Array | undefined;
  return {
    to(message: Message, place: PlacePayload | undefined): Uint8Array {
      const placed = place?.(message, payload.length);
      if (placed === undefined) copy = new Uint8Array(payload.length);
      const target = placed ?? copy!;
      target.set(payload);
      return target;
    },
    spoil: () => void copy?.fill(SPOILT),
  };
}

/** Through the codec, as over a wire. The payload is copied only when it arrives. */
export const wrapEncoded: Wrap = (envelope) => {
  const frames = encode(envelope);
  const payload = payloadOf(envelope);
  return () => {
    const delivery = payload && createDelivery(payload);
    return {
      bytes: bytesOf(frames),
      open(place) {
        if (delivery === undefined) return decode([frames[0]!]);
        const { message } = decode([frames[0]!, payload!]);
        if (message.protocol !== PROTOCOL_VERSION) return { message };
        return { message, payload: delivery.to(message, place) };
      },
      spoil: delivery?.spoil ?? ignore,
    };
  };
};

/** Four of it are a NaN. */
const SPOILT = 0xff;

/** As `wrapEncoded` in what becomes of payloads, but no header is made: a good deal faster. */
export const wrapCopied: Wrap = (envelope) => {
  checkSendable(envelope);
  const { message } = envelope;
  const payload = payloadOf(envelope);
  return () => {
    if (payload === undefined) return { bytes: 0, open: () => ({ message }), spoil: ignore };
    const delivery = createDelivery(payload);
    return {
      bytes: payload.length,
      open: (place) => ({ message, payload: delivery.to(message, place) }),
      spoil: delivery.spoil,
    };
  };
};

/** By reference, also what was lent, if it arrives while it is. Counts payloads only: no header is made. */
export const wrapReference: Wrap = (envelope) => {
  checkSendable(envelope);
  const { message, lent } = envelope;
  let { payload } = envelope;
  let kept = lent === undefined;
  return () => {
    let open = false;
    return {
      bytes: payload?.length ?? 0,
      open() {
        open = true;
        return payload === undefined ? { message } : { message, payload };
      },
      sent() {
        if (open || kept) return;
        payload = lent!();
        kept = true;
      },
      spoil: ignore,
    };
  };
};

/** Frames as they are, to try what a peer with a fault, or a foe, could send. */
export function wrapRaw(frames: readonly Uint8Array[]): Parcel {
  return { bytes: bytesOf(frames), open: () => decode(frames), spoil: ignore };
}
