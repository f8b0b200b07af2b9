import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { TuttiError } from '@tutti/runtime';
import { createRing } from './ring.js';

/**
 * A way beside the socket for the payloads of two processes on one machine: a file in memory
 * (/dev/shm) that both have open. The message itself still goes through the socket, in order, with a
 * reference in place of the payload. It spares two passes through the kernel's TCP and the memory
 * that each received frame would need.
 *
 * The file never has a name: the peer opens it through /proc. So it is gone with the last of them,
 * whenever and however they end.
 *
 * Whatever does not fit (the file is full, the disk is, the peer is elsewhere) goes through the
 * socket as it would without.
 */
export interface Lane {
  /** The frames to send instead: with a reference if the payload was put into the file. */
  stow(frames: Uint8Array[]): Uint8Array[];
  /**
   * The frames as they were before `stow`, or undefined for a frame of the lane's own. The payload
   * lies in memory that is used again: it is valid until the next call.
   * @throws TuttiError BAD_FRAME
   */
  fetch(frames: Uint8Array[]): Uint8Array[] | undefined;
  close(): void;
}

/** lib.dom has it, but Node's types do not. */
declare const WebAssembly: {
  readonly Memory: new (descriptor: {
    initial: number;
    maximum: number;
  }) => { readonly buffer: ArrayBuffer };
};

const FOLDER = '/dev/shm';
/** Linux's own, which Node does not name: the second bit is the same for x64 and arm64. */
const O_TMPFILE = constants.O_DIRECTORY | 0o20000000;
/** A process and its number for an open file. */
const PLACE = /^\d{1,10}\/fd\/\d{1,10}$/;
const TOKEN_BYTES = 16;

/** One direction. Pages of the file take memory only once they were written. */
const RING_BYTES = 32 * 1024 * 1024;
const PAGE_BYTES = 4096;
/** The token, padded to a page. */
const HEAD_BYTES = PAGE_BYTES;

/** Below this a frame costs less than a reference. */
const LEAST_BYTES = 16 * 1024;
/**
 * Freed room is told of with the next reference that goes the other way, or after this much: often
 * enough that light use stays at the beginning, seldom enough to cost no messages of its own.
 */
const ANNOUNCE_BYTES = 2 * 1024 * 1024;

/** First bytes of the lane's own frames; no header of a message begins so (that is a map). */
const OFFER = 0x01;
const ACCEPT = 0x02;
const FREED = 0x03;
/** Where the payload starts, its length, and how many runs of the other direction are free again. */
const REFERENCE_BYTES = 12;

/**
 * Offers a lane to the peer. The first frame to send is `offer`; until the peer accepts, payloads go
 * through the socket. Undefined where there is no file system in memory.
 */
export function offerLane(
  send: (frame: Uint8Array) => void,
): (Lane & { readonly offer: Uint8Array }) | undefined {
  const token = randomBytes(TOKEN_BYTES);
  let fd: number | undefined;
  try {
    const { O_RDWR, O_EXCL } = constants;
    fd = openSync(FOLDER, O_RDWR | O_TMPFILE | O_EXCL, 0o600);
    writeSync(fd, token, 0, TOKEN_BYTES, 0);
    ftruncateSync(fd, HEAD_BYTES + 2 * RING_BYTES);
  } catch {
    if (fd !== undefined) closeSync(fd);
    return undefined;
  }
  let accepted = false;
  const lane = createLane(fd, HEAD_BYTES, HEAD_BYTES + RING_BYTES, send);
  return {
    offer: Buffer.concat([Buffer.of(OFFER), token, Buffer.from(`${process.pid}/fd/${fd}`)]),
    stow: (frames) => (accepted ? lane.stow(frames) : frames),
    fetch(frames) {
      if (frames.length === 1 && frames[0]![0] === ACCEPT) {
        accepted = true;
        return undefined;
      }
      return lane.fetch(frames);
    },
    close: lane.close,
  };
}

/** The offer in these frames, to be given to `acceptLane`. */
export function readOffer(frames: readonly Uint8Array[]): Uint8Array | undefined {
  return frames.length === 1 && frames[0]![0] === OFFER ? frames[0] : undefined;
}

/**
 * Takes up an offer. Undefined if the file is not to be had: the peer is on another machine, in another
 * container or another user's, or has ended.
 */
export function acceptLane(offer: Uint8Array, send: (frame: Uint8Array) => void): Lane | undefined {
  const token = offer.subarray(1, 1 + TOKEN_BYTES);
  const place = Buffer.from(offer.subarray(1 + TOKEN_BYTES, 100)).toString();
  if (!PLACE.test(place)) return undefined;
  let fd: number | undefined;
  try {
    // Looked at before it is opened: opening a pipe or a device can do things.
    if (!isLane(statSync(`/proc/${place}`))) return undefined;
    fd = openSync(`/proc/${place}`, constants.O_RDWR | constants.O_NONBLOCK);
    const found = Buffer.alloc(TOKEN_BYTES);
    const read = isLane(fstatSync(fd)) ? readSync(fd, found, 0, TOKEN_BYTES, 0) : 0;
    if (read < TOKEN_BYTES || !found.equals(token)) throw new Error('not what was offered');
  } catch {
    if (fd !== undefined) closeSync(fd);
    return undefined;
  }
  send(Buffer.of(ACCEPT));
  return createLane(fd, HEAD_BYTES + RING_BYTES, HEAD_BYTES, send);
}

/** Whether this can be the file of a lane of our own user's, in the memory that we too see. */
function isLane(stats: Stats): boolean {
  const ours = stats.uid === process.getuid?.() && (stats.mode & 0o077) === 0;
  const inMemory = stats.isFile() && stats.nlink === 0 && stats.dev === statSync(FOLDER).dev;
  return ours && inMemory && stats.size === HEAD_BYTES + 2 * RING_BYTES;
}

function createLane(
  fd: number,
  outBase: number,
  inBase: number,
  send: (frame: Uint8Array) => void,
): Lane {
  const ring = createRing(RING_BYTES);
  let scratch: Uint8Array = new Uint8Array(0);
  let open = true;
  let full = false;
  let [fetched, fetchedBytes] = [0, 0];

  /** The payload is in our own memory now: the sender may write there again. */
  function taken(bytes: number) {
    fetched++;
    fetchedBytes += bytes;
    if (fetchedBytes < ANNOUNCE_BYTES) return;
    const frame = Buffer.alloc(5, FREED);
    frame.writeUInt32LE(tellFreed(), 1);
    send(frame);
  }

  function tellFreed(): number {
    const runs = fetched;
    [fetched, fetchedBytes] = [0, 0];
    return runs;
  }

  return {
    stow(frames) {
      const payload = frames[1];
      if (!open || full || payload === undefined || payload.length < LEAST_BYTES) return frames;
      // Whole pages, so that every payload starts on one: see scratchOf.
      const start = ring.take(Math.ceil(payload.length / PAGE_BYTES) * PAGE_BYTES);
      if (start === undefined) return frames;
      try {
        if (writeSync(fd, payload, 0, payload.length, outBase + start) < payload.length)
          throw new Error('short write');
      } catch {
        // No memory left for the file. The run stays taken: the peer is told of none.
        full = true;
        return frames;
      }
      const reference = Buffer.alloc(REFERENCE_BYTES);
      reference.writeUInt32LE(start, 0);
      reference.writeUInt32LE(payload.length, 4);
      reference.writeUInt32LE(tellFreed(), 8);
      return [frames[0]!, reference, Buffer.alloc(0)];
    },
    fetch(frames) {
      if (frames.length === 1 && frames[0]![0] === FREED && frames[0]!.length === 5) {
        ring.release(Buffer.from(frames[0]!).readUInt32LE(1));
        return undefined;
      }
      const reference = frames[1];
      if (frames.length !== 3 || reference?.length !== REFERENCE_BYTES || frames[2]!.length > 0)
        return frames;
      const view = Buffer.from(reference);
      const [start, length] = [view.readUInt32LE(0), view.readUInt32LE(4)];
      ring.release(view.readUInt32LE(8));
      if (length > RING_BYTES || start > RING_BYTES - length) throw noPayload(start, length);
      if (scratch.length < length) scratch = scratchOf(length);
      const payload = scratch.subarray(0, length);
      if (!open || readSync(fd, payload, 0, length, inBase + start) < length)
        throw noPayload(start, length);
      taken(length);
      return [frames[0]!, payload];
    },
    close() {
      if (!open) return;
      open = false;
      closeSync(fd);
    },
  };
}

/**
 * Memory for what is read, 64 bytes into a page. Some processors copy five to thirteen times slower
 * if the target lies 1 to 31 bytes further into its page than the source (measured on AMD Zen 3:
 * 160 instead of 25 microseconds for 256 KiB), and an ordinary large ArrayBuffer starts 16 bytes
 * into one. WebAssembly memory starts on one.
 */
function scratchOf(length: number): Uint8Array<ArrayBuffer> {
  const pages = Math.ceil((length + 64) / 65_536);
  const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages });
  return new Uint8Array(buffer, 64, buffer.byteLength - 64);
}

function noPayload(start: number, length: number): TuttiError {
  return new TuttiError(
    'BAD_FRAME',
    `Received a reference to ${length} bytes from ${start}, which the shared file does not have.`,
    { remedy: 'Check that nothing but Tutti processes of one version connects to this address.' },
  );
}
