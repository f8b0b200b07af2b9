import { type FileHandle, open } from 'node:fs/promises';
import { withCleanUp } from '@tutti/runtime';
import { badCheckpoint } from './bad-checkpoint.js';
import { bytesOf, toNative } from './bytes.js';
import type { FileSystem } from './files.js';
import {
  decodeHeader,
  decodeHeaderLength,
  encodeHeader,
  type Tensor,
} from './safetensors-header.js';
import { writeWhole } from './whole-file.js';

/** How much is read at once: enough to be fast, little enough to let other work in between. */
const SLICE_BYTES = 4 << 20;

/** A safetensors file piece by piece, without a copy of the tensors. */
export function* safetensorsPieces(
  tensors: readonly Tensor[],
  metadata?: Readonly<Record<string, string>>,
): Generator<Uint8Array> {
  yield encodeHeader(tensors, metadata);
  for (const { values } of tensors) yield bytesOf(values);
}

/** Writes one safetensors file: see `writeWhole`. */
export async function writeSafetensors(
  path: string,
  tensors: readonly Tensor[],
  metadata?: Readonly<Record<string, string>>,
  fs?: FileSystem,
): Promise<void> {
  const neededBytes = tensors.reduce((sum, { values }) => sum + values.byteLength, 0);
  await writeWhole(path, safetensorsPieces(tensors, metadata), neededBytes, fs);
}

export interface SafetensorsContent {
  /** In the order of their bytes. */
  readonly tensors: readonly Tensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

export interface ReadListener {
  /** Every byte of the file, in order. */
  bytes?(bytes: Uint8Array): void;
  /** Every byte of the tensors, in order. */
  data?(bytes: Uint8Array): void;
}

/**
 * Reads a safetensors file of float32 tensors. Nothing is allocated before the header was checked
 * against the size of the file. Throws BAD_CHECKPOINT with the reason.
 */
export async function readSafetensors(
  path: string,
  listener: ReadListener = {},
): Promise<SafetensorsContent> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    throw badCheckpoint(path, (error as Error).message);
  }
  return withCleanUp(
    () => handle.close(),
    async () => {
      const { size } = await handle.stat();
      const first = await readExactly(handle, path, new Uint8Array(Math.min(8, size)));
      const length = decodeHeaderLength(path, first, size);
      const json = await readExactly(handle, path, new Uint8Array(length));
      const { places, metadata } = decodeHeader(path, json, size - 8 - length);
      listener.bytes?.(first);
      listener.bytes?.(json);
      const tensors: Tensor[] = [];
      for (const { name, shape, begin, end } of places) {
        const values = new Float32Array((end - begin) / 4);
        const memory = new Uint8Array(values.buffer);
        for (let at = 0; at < memory.length; at += SLICE_BYTES) {
          const slice = await readExactly(handle, path, memory.subarray(at, at + SLICE_BYTES));
          listener.bytes?.(slice);
          listener.data?.(slice);
        }
        toNative(values);
        tensors.push({ name, shape, values });
      }
      return { tensors, metadata };
    },
  );
}

async function readExactly(
  handle: FileHandle,
  path: string,
  into: Uint8Array,
): Promise<Uint8Array> {
  let at = 0;
  while (at < into.length) {
    const { bytesRead } = await handle.read(into, at, into.length - at);
    if (bytesRead === 0) throw badCheckpoint(path, 'it ended while it was being read');
    at += bytesRead;
  }
  return into;
}
