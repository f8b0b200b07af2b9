import { hash } from 'node:crypto';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/** Seeded randomness, as an argument: nothing in Tutti reads `Math.random`. */
export interface Random {
  /** A float in [0, 1) with 53 random bits. */
  next(): number;
  /**
   * An integer in [0, bound), without bias.
   * @throws RangeError if `bound` is no integer from 1 to 2^32
   */
  below(bound: number): number;
  /** A 32-bit unsigned integer. */
  uint32(): number;
  /** Shuffles in place, every order equally likely (Fisher-Yates). */
  shuffle<T extends Uint32Array | unknown[]>(items: T): T;
}

export type RandomKey = readonly (string | number)[];

/**
 * The generator that belongs to a key such as `['dropout', seed, epoch, step, shard]`: equal keys
 * give equal sequences, different keys independent ones. The state of xoroshiro128+ is taken from
 * the SHA-256 of the key.
 */
export function createRandom(...key: RandomKey): Random {
  // Many keys are never drawn from: every micro-batch has one.
  let generator: ReturnType<typeof xoroshiro128plusFromState> | undefined;
  function uint32() {
    generator ??= xoroshiro128plusFromState(randomState(...key));
    return generator.next() >>> 0;
  }
  const random: Random = {
    uint32,
    next: () => ((uint32() >>> 5) * 67108864 + (uint32() >>> 6)) / 9007199254740992,
    below(bound) {
      // Nothing is below 0: the loop would go round for ever.
      if (!(Number.isInteger(bound) && bound >= 1 && bound <= 4294967296))
        throw new RangeError(`There is no integer from 0 to below ${bound} to draw`);
      // Rejection: values past the last whole multiple of `bound` would favour small results.
      const limit = 4294967296 - (4294967296 % bound);
      for (;;) {
        const value = uint32();
        if (value < limit) return value % bound;
      }
    },
    shuffle(items) {
      for (let i = items.length - 1; i > 0; i--) {
        const j = random.below(i + 1);
        const held = items[i]!;
        items[i] = items[j]!;
        items[j] = held;
      }
      return items;
    },
  };
  return random;
}

/**
 * What the generator of a key begins with, for code that has the generator and no SHA-256: four int32, the upper half
 * of each word first.
 */
export function randomState(...key: RandomKey): number[] {
  const digest = hash('sha256', JSON.stringify(key), 'buffer');
  return [0, 4, 8, 12].map((at) => digest.readInt32LE(at));
}
