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

/**
 * A file in memory (/dev/shm) that one process writes and others of the same user on the same machine
 * read. It never has a name: they open it through /proc. So it is gone with the last of them, whenever
 * and however they end.
 */
export interface SharedFile {
  /** What a process must know to open it. */
  readonly place: Uint8Array;
  /**
   * Writes a run over whatever was there.
   * @param mark unlike those of other runs
   * @throws if there is no memory left
   */
  write(bytes: Uint8Array, at: number, mark: number): void;
  close(): void;
}

/** Another's. */
export interface ForeignFile {
  /** False if the file does not have the run: it was written over, also in this very moment. */
  read(target: Uint8Array, at: number, mark: number): boolean;
  close(): void;
}

const FOLDER = '/dev/shm';
/** Linux's own, which Node does not name: the second bit is the same for x64 and arm64. */
const O_TMPFILE = constants.O_DIRECTORY | 0o20000000;
/** A process and its number for an open file. */
const PLACE = /^\d{1,10}\/fd\/\d{1,10}$/;
const LONGEST_PLACE = 84;
const TOKEN_BYTES = 16;
/** The token, padded to a page. */
const HEAD_BYTES = 4096;

/** Before a run stands its mark; so many bytes, for the sake of `alignedMemory`. */
export const MARK_BYTES = 64;

/** Undefined where there is no file system in memory. Its pages take memory only once written. */
export function createSharedFile(size: number): SharedFile | undefined {
  const token = randomBytes(TOKEN_BYTES);
  const { O_RDWR, O_EXCL } = constants;
  const file = openFile(
    () => openSync(FOLDER, O_RDWR | O_TMPFILE | O_EXCL, 0o600),
    (fd) => {
      writeSync(fd, token, 0, TOKEN_BYTES, 0);
      ftruncateSync(fd, HEAD_BYTES + size);
    },
  );
  if (file === undefined) return undefined;
  const { fd, close } = file;
  return {
    place: Buffer.concat([token, Buffer.from(`${process.pid}/fd/${fd}`)]),
    write(bytes, at, mark) {
      const head = Buffer.alloc(8);
      head.writeDoubleLE(mark);
      // The mark first: whoever finds the old one behind the bytes has read the old bytes.
      const start = HEAD_BYTES + at;
      const written = writeSync(fd, head, 0, head.length, start);
      const all = written + writeSync(fd, bytes, 0, bytes.length, start + MARK_BYTES);
      if (all < head.length + bytes.length) throw new Error('short write');
    },
    close,
  };
}

/**
 * Undefined if the file is not to be had: its owner is on another machine, in another container or
 * another user's, or has ended.
 */
export function openSharedFile(place: Uint8Array, size: number): ForeignFile | undefined {
  const token = place.subarray(0, TOKEN_BYTES);
  const path = Buffer.from(place.subarray(TOKEN_BYTES, TOKEN_BYTES + LONGEST_PLACE)).toString();
  if (!PLACE.test(path)) return undefined;
  const requireShared = (stats: Stats) => {
    if (!isOurs(stats) || stats.size !== HEAD_BYTES + size) throw new Error('no shared file');
  };
  const file = openFile(
    () => {
      // Looked at before it is opened: opening a pipe or a device can do things.
      requireShared(statSync(`/proc/${path}`));
      return openSync(`/proc/${path}`, constants.O_RDONLY | constants.O_NONBLOCK);
    },
    (fd) => {
      requireShared(fstatSync(fd));
      const found = Buffer.alloc(TOKEN_BYTES);
      const read = readSync(fd, found, 0, TOKEN_BYTES, 0);
      if (read < TOKEN_BYTES || !found.equals(token)) throw new Error('not what was offered');
    },
  );
  if (file === undefined) return undefined;
  const { fd, close } = file;
  return {
    read(target, at, mark) {
      const { length } = target;
      if (!file.open || at > size - MARK_BYTES - length) return false;
      const start = HEAD_BYTES + at;
      const head = Buffer.alloc(8);
      const read = readSync(fd, target, 0, length, start + MARK_BYTES);
      const all = read + readSync(fd, head, 0, head.length, start);
      return all === length + head.length && head.readDoubleLE() === mark;
    },
    close,
  };
}

/** Undefined, and nothing left open, if it cannot be opened or `prepare` throws. */
function openFile(open: () => number, prepare: (fd: number) => void) {
  let fd: number | undefined;
  try {
    fd = open();
    prepare(fd);
  } catch {
    if (fd !== undefined) closeSync(fd);
    return undefined;
  }
  const opened = fd;
  const file = {
    fd: opened,
    open: true,
    close() {
      if (file.open) closeSync(opened);
      file.open = false;
    },
  };
  return file;
}

/** Whether it can be a file of our own user's, without a name, in the memory that we too see. */
function isOurs(stats: Stats): boolean {
  const ours = stats.uid === process.getuid?.() && (stats.mode & 0o077) === 0;
  return ours && stats.isFile() && stats.nlink === 0 && stats.dev === statSync(FOLDER).dev;
}
