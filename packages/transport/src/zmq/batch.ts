import { type Clock, type Timer, TuttiError } from '@tutti/runtime';
import { LARGE_BESIDE_BYTES, LARGE_BYTES, MOST_BATCHED, UNHURRIED_MS } from '../tunables.js';

/** The first byte of a batch; no header of a message begins so (that is a map), nor a channel's frame. */
const BATCH = 0x04;

/**
 * Sends what is sent together as one message of ZeroMQ. Each `send` of a socket costs some 50
 * microseconds, for waking its input-output thread, and as much at the other end, whatever the size.
 */
export interface FrameBatcher {
  /**
   * @param besideBytes what travels in memory beside the frames; much of it does not wait either
   * @param unhurried as in an envelope
   */
  send(frames: Uint8Array[], besideBytes?: number, unhurried?: boolean): void;
  /** Sends at once what has been gathered. */
  flush(): void;
}

/**
 * @param clock times what is unhurried
 * @param defer calls back when what was sent together has been gathered: at the end of a turn of the event
 *   loop
 */
export function createFrameBatcher(
  transmit: (frames: Uint8Array[]) => void,
  clock: Pick<Clock, 'after'>,
  defer: (task: () => void) => void = setImmediate,
): FrameBatcher {
  let gathered: Uint8Array[][] = [];
  let due = false;
  let patience: Timer | undefined;

  function flush() {
    patience?.cancel();
    patience = undefined;
    const messages = gathered;
    gathered = [];
    if (messages.length > 0) transmit(inOneBatch(messages));
  }

  return {
    flush,
    send(frames, besideBytes = 0, unhurried = false) {
      if (frames.some((frame) => frame.length > LARGE_BYTES)) {
        flush();
        transmit(frames);
        return;
      }
      gathered.push(frames);
      if (gathered.length >= MOST_BATCHED || besideBytes >= LARGE_BESIDE_BYTES) flush();
      if (due || gathered.length === 0) return;
      if (unhurried) {
        patience ??= clock.after(UNHURRIED_MS, flush);
        return;
      }
      due = true;
      defer(() => {
        due = false;
        flush();
      });
    },
  };
}

/** Several messages, or one, as one of ZeroMQ. */
export function inOneBatch(messages: readonly Uint8Array[][]): Uint8Array[] {
  if (messages.length === 1) return messages[0]!;
  return [Uint8Array.of(BATCH, ...messages.map((frames) => frames.length)), ...messages.flat()];
}

/** The messages in what was received: several, or one. @throws TuttiError BAD_FRAME */
export function messagesIn(frames: Buffer[]): Buffer[][] {
  const head = frames[0];
  if (head?.[0] !== BATCH || head.length < 2) return [frames];
  let at = 1;
  const messages: Buffer[][] = [];
  for (const count of head.subarray(1)) {
    messages.push(frames.slice(at, at + count));
    at += count;
  }
  if (at !== frames.length || messages.some((message) => message.length === 0))
    throw new TuttiError(
      'BAD_FRAME',
      `A batch announced ${at - 1} frames, but ${frames.length - 1} came.`,
      { remedy: 'Check that only Tutti processes of one version connect to this address.' },
    );
  return messages;
}
