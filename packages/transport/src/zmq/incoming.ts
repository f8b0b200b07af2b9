import {
  decode,
  decodeHeader,
  type Envelope,
  type Message,
  type PlacePayload,
  PROTOCOL_VERSION,
} from '@tutti/protocol';
import type { Channel } from '../shm/channel.js';
import { bytesOf, type TrafficCounter } from '../traffic.js';
import { ownPayload } from './zmq-sockets.js';

/**
 * The message in frames that were received, its payload read to where `place` would have it. Undefined
 * for what the channel has to itself.
 * @throws TuttiError BAD_FRAME
 */
export function readEnvelope(
  frames: Buffer[],
  channel: Channel | undefined,
  traffic: TrafficCounter,
  place: PlacePayload | undefined,
): Envelope | undefined {
  let message: Message | undefined;
  const whole =
    channel === undefined
      ? frames
      : channel.fetch(frames, (bytes) => {
          message = decodeHeader(frames[0]!, bytes);
          // Nothing else is known of a message of another version.
          return message.protocol === PROTOCOL_VERSION ? place?.(message, bytes) : undefined;
        });
  if (whole === undefined) return undefined;
  traffic.receivedBytes += bytesOf(whole);
  const payload = whole[1];
  if (message?.protocol === PROTOCOL_VERSION && payload !== undefined) return { message, payload };
  return decode(whole === frames ? ownPayload(frames) : whole);
}
