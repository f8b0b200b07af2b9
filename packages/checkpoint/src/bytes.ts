const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** The values as little-endian float32 bytes: a view where the machine is little-endian, else a copy. */
export function bytesOf(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return littleEndian ? bytes : swapped(bytes);
}

/** Makes little-endian bytes that were read into the memory of `values` native, in place. */
export function toNative(values: Float32Array): void {
  if (littleEndian) return;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  bytes.set(swapped(bytes));
}

function swapped(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  return copy.swap32();
}
