import { zeros } from './arrays.js';
import type { Table } from './layers/layer.js';
import { ceil, floor, max, min } from './math.js';

/** How many blocks lie between two known states of the generator: 16 bytes for so many are kept. */
const EVERY = 512;

/**
 * A weight whose elements each read one of fewer stored values, as `hashed` of @tutti/parameters draws
 * them. It is never made as a whole, unless all of it is asked for: what is known of the generator grows to where
 * anybody has asked.
 * @param stored rows of `block` values
 * @param sign whether a sign is drawn after each row
 * @param state of the generator before the first row: four int32
 * @param size elements of the weight
 */
export function drawn(
  stored: Float32Array,
  block: number,
  sign: number,
  state: Int32Array,
  size: number,
): Table {
  const rows = stored.length / block;
  const known = new Int32Array(4 * ceil(size / block / EVERY));
  known.set(state);
  let last = 0;
  return {
    subarray(begin, end) {
      const part = zeros(end - begin);
      const from = min(last, floor(begin / block / EVERY));
      const now = known.slice(4 * from, 4 * from + 4);
      for (let at = from * EVERY; at * block < end; at++) {
        if (at > last * EVERY && at % EVERY === 0) known.set(now, 4 * ++last);
        const row = below(now, rows);
        const factor = sign && !(uint32(now) & 1) ? -1 : 1;
        for (let i = max(begin, at * block); i < min(end, (at + 1) * block); i++)
          part[i - begin] = factor * stored[(row - at) * block + i]!;
      }
      return part;
    },
  };
}

/** An integer in [0, bound): the same as `createRandom` of @tutti/runtime draws. */
export function below(state: Int32Array, bound: number): number {
  for (;;) {
    const value = uint32(state);
    const result = value % bound;
    // Past the last whole multiple of the bound small results would be favoured.
    if (value - result <= 2 ** 32 - bound) return result;
  }
}

/** xoroshiro128+ (Blackman and Vigna 2018), which moves on its state: the upper half of each word first. */
function uint32(state: Int32Array): number {
  const high = state[0]!;
  const low = state[1]!;
  const a = low ^ state[3]!;
  const b = high ^ state[2]!;
  const sum = (low + state[3]!) >>> 0;
  state[0] = (high << 24) ^ (low >>> 8) ^ b ^ ((b << 16) | (a >>> 16));
  state[1] = (low << 24) ^ (high >>> 8) ^ a ^ (a << 16);
  state[2] = (a << 5) ^ (b >>> 27);
  state[3] = (b << 5) ^ (a >>> 27);
  return sum;
}
