/**
 * The checksum that a TFRecord file has for a CRC32C: masked, since a checksum of what contains checksums
 * is a bad one (https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details).
 */
export function maskedChecksum(crc32c: number): number {
  return (((crc32c >>> 15) | (crc32c << 17)) + 0xa282ead8) >>> 0;
}
