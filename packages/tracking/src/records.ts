import checksums from '@node-rs/crc32';
import { maskedChecksum } from '@tutti/runtime';

/**
 * The framing of TFRecord files: the length (uint64), its checksum, the content, its checksum
 * (https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details).
 */
export function framed(content: Uint8Array): Uint8Array {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(content.length));
  head.writeUInt32LE(checksumOf(head.subarray(0, 8)), 8);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(checksumOf(content));
  return Buffer.concat([head, content, tail]);
}

const checksumOf = (content: Uint8Array) => maskedChecksum(checksums.crc32c(content));

/** The records of a file, each with where it begins; they end where one is torn or damaged. */
export function* recordsOf(
  file: Buffer,
): Generator<{ readonly start: number; readonly content: Uint8Array }> {
  let start = 0;
  while (start + 16 <= file.length) {
    const length = Number(file.readBigUInt64LE(start));
    const end = start + 12 + length;
    if (end + 4 > file.length) return;
    const content = file.subarray(start + 12, end);
    if (file.readUInt32LE(end) !== checksumOf(content)) return;
    yield { start, content };
    start = end + 4;
  }
}
