import { TuttiError } from '@tutti/runtime';
import { MOST_SHARED_BYTES, OUTBOX_BYTES, TELL_READ_BYTES } from '../tunables.js';
import type { Outbox, Posted } from './outbox.js';
import { type ForeignFile, MARK_BYTES, openSharedFile } from './shared-file.js';

/**
 * A way beside the socket for the payloads of two processes on one machine: each writes into a file in
 * memory that the other reads. The message itself still goes through the socket, in order, with a
 * reference in place of the payload. It spares two passes through the kernel's TCP and the memory
 * that each received frame would need.
 *
 * Whatever does not fit (the file is full, the disk is, the peer is elsewhere) goes through the
 * socket as it would without.
 */
export interface Channel {
  /** Whether the peer reads what is posted. */
  readonly accepted: boolean;
  /** Tells the peer where payloads will be. */
  offer(outbox: Outbox): void;
  /** The frames to send instead, with a reference to the payload that was posted. */
  refer(frames: Uint8Array[], posted: Posted): Uint8Array[];
  /**
   * The frames as they were before `refer`, or undefined for a frame of the channel's own. The payload
   * lies where `place` would have it, who is told how long it is; otherwise in memory that is used
   * again: then it is valid until the next call.
   * @throws TuttiError BAD_FRAME, and what `place` throws
   */
  fetch(frames: Uint8Array[], place?: Place): Uint8Array[] | undefined;
  /** Says how much was read, to travel with something else; undefined if it has been said. */
  tellRead(): Uint8Array | undefined;
  close(): void;
}

/** Memory for the payload of the message under way: of exactly so many bytes, or undefined. */
export type Place = (bytes: number) => Uint8Array | undefined;

/** lib.dom has it, but Node's types do not. */
declare const WebAssembly: {
  readonly Memory: new (descriptor: {
    initial: number;
    maximum: number;
  }) => { readonly buffer: ArrayBuffer };
};

/** First bytes of the channel's own frames; no header of a message begins so (that is a map). */
const OFFER = 0x01;
const ACCEPT = 0x02;
const READ = 0x03;
const READ_BYTES = 5;
/** Where the payload starts, its length, and its mark. */
const REFERENCE_BYTES = 16;

/**
 * @param send sends a frame of the channel's own
 * @param answer called when the peer's payloads can be read: it can see our memory, and so we its
 */
export function createChannel(send: (frame: Uint8Array) => void, answer = () => {}): Channel {
  let outbox: Outbox | undefined;
  let incoming: ForeignFile | undefined;
  let accepted = false;
  let open = true;
  let scratch: Uint8Array = new Uint8Array(0);
  /** What the peer was told of and has not read, oldest first. */
  let unread: Posted[] = [];
  let [reads, readBytes] = [0, 0];

  function scratchFor(length: number): Uint8Array {
    if (scratch.length < length) scratch = alignedMemory(length);
    return scratch.subarray(0, length);
  }

  /** @returns whether it was a frame of the channel's own */
  function handle(frame: Uint8Array): boolean {
    switch (frame[0]) {
      case OFFER:
        if (incoming !== undefined) return true;
        incoming = openSharedFile(frame.subarray(1), OUTBOX_BYTES);
        if (incoming === undefined) return true;
        send(Buffer.of(ACCEPT));
        answer();
        return true;
      case ACCEPT:
        accepted = outbox !== undefined;
        return true;
      case READ:
        if (frame.length !== READ_BYTES) return false;
        for (const posted of unread.splice(0, Buffer.from(frame).readUInt32LE(1)))
          outbox?.read(posted);
        return true;
      default:
        return false;
    }
  }

  const channel: Channel = {
    get accepted() {
      return accepted && open;
    },
    offer(given) {
      outbox = given;
      send(Buffer.concat([Buffer.of(OFFER), given.place]));
    },
    refer([header], posted) {
      unread.push(posted);
      const reference = Buffer.alloc(REFERENCE_BYTES);
      reference.writeUInt32LE(posted.start, 0);
      reference.writeUInt32LE(posted.length, 4);
      reference.writeDoubleLE(posted.mark, 8);
      return [header!, reference, Buffer.alloc(0)];
    },
    fetch(frames, place) {
      if (frames.length === 1 && handle(frames[0]!)) return undefined;
      const reference = frames[1];
      if (frames.length !== 3 || reference?.length !== REFERENCE_BYTES || frames[2]!.length > 0)
        return frames;
      const view = Buffer.from(reference);
      const [start, length] = [view.readUInt32LE(0), view.readUInt32LE(4)];
      // Before there is memory for it: anybody can claim to have posted something.
      if (incoming === undefined || length > MOST_SHARED_BYTES) throw noPayload(start, length);
      const payload = place?.(length) ?? scratchFor(length);
      if (!incoming.read(payload, start, view.readDoubleLE(8))) throw noPayload(start, length);
      // It is in our own memory now: the sender may write there again.
      reads++;
      readBytes += length;
      const said = readBytes < TELL_READ_BYTES ? undefined : channel.tellRead();
      if (said !== undefined) send(said);
      return [frames[0]!, payload];
    },
    tellRead() {
      if (reads === 0) return undefined;
      const frame = Buffer.alloc(READ_BYTES, READ);
      frame.writeUInt32LE(reads, 1);
      [reads, readBytes] = [0, 0];
      return frame;
    },
    close() {
      if (!open) return;
      open = false;
      incoming?.close();
      for (const posted of unread) outbox?.read(posted);
      unread = [];
    },
  };
  return channel;
}

/**
 * Memory for what is read, as far into a page as in the file. Some processors copy five to thirteen
 * times slower if the target lies 1 to 31 bytes further into its page than the source (measured on AMD Zen 3:
 * 160 instead of 25 microseconds for 256 KiB), and an ordinary large ArrayBuffer starts 16 bytes
 * into one. WebAssembly memory starts on one.
 */
function alignedMemory(length: number): Uint8Array<ArrayBuffer> {
  const pages = Math.ceil((length + MARK_BYTES) / 65_536);
  const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages });
  return new Uint8Array(buffer, MARK_BYTES, buffer.byteLength - MARK_BYTES);
}

function noPayload(start: number, length: number): TuttiError {
  return new TuttiError(
    'BAD_FRAME',
    `Received a reference to ${length} bytes from ${start}, which the shared file does not have.`,
    { remedy: 'Check that nothing but Tutti processes of one version connects to this address.' },
  );
}
