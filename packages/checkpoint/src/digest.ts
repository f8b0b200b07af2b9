import { createHash } from 'node:crypto';
import { bytesOf } from './bytes.js';

/**
 * SHA-256, as hex, over the little-endian float32 bytes of the stored parameters, one after the
 * other in declared order. Two runs with equal digests have equal weights, bit for bit.
 */
export function parameterDigest(inDeclaredOrder: Iterable<Float32Array>): string {
  const hash = createHash('sha256');
  for (const values of inDeclaredOrder) hash.update(bytesOf(values));
  return hash.digest('hex');
}
