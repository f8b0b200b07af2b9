import { hash } from 'node:crypto';

/** SHA-256 in hexadecimal: by it, bits that two peers have are compared without sending them. */
export function digestOfBytes(bytes: Uint8Array): string {
  return hash('sha256', bytes);
}
