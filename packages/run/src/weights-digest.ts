import { createHash } from 'node:crypto';

/** SHA-256 over the little-endian float32 bytes, in hexadecimal. */
export function digestOf(parameters: Float32Array): string {
  const { buffer, byteOffset, byteLength } = parameters;
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
}
