import { checkKeys, createRandom, randomState } from '@tutti/runtime';
import { gather, reshape, sizeOf, slice } from '../expressions/expression.js';
import {
  badRule,
  called,
  type KindRule,
  type PretrainedOptions,
  type Size,
  storedSize,
  wholeFrom1,
} from '../rule.js';
import { readByElements } from '../values.js';

export interface HashedOptions extends Size, PretrainedOptions {
  /** +1 or -1 is drawn for each element (or block), too. Default true. */
  readonly sign?: boolean | undefined;
  /** Draws which element reads which value. Default 0. */
  readonly seed?: number | undefined;
  /** So many neighbouring elements read as many neighbouring values. Default 1. */
  readonly block?: number | undefined;
}

/**
 * HashedNets (Chen et al. 2015): each element of the weight reads one of `stored` values, chosen by
 * a seeded draw; with `sign`, times a drawn +1 or -1, which makes the inner products of hashed inputs
 * unbiased (Weinberger et al. 2009). With `block`, neighbours stay together, which is faster, and is
 * how large embeddings are hashed (ROBE: Desai et al. 2022).
 */
export function hashed(names: string | readonly string[], options: HashedOptions): KindRule {
  const keys = {
    stored: true,
    ratio: true,
    sign: true,
    seed: true,
    block: true,
    from: true,
  } as const;
  checkKeys('hashed', options, keys);
  const { sign = true, seed = 0, block = 1, from } = options;
  return {
    kind: 'hashed',
    names: [names].flat(),
    from,
    define([weight]) {
      const { name, shape } = weight!;
      const rule = called('hashed', [name]);
      const size = sizeOf(shape);
      const count = storedSize(rule, size, options);
      wholeFrom1(rule, 'block', block);
      const rows = Math.floor(count / block);
      if (rows < 1 || (options.stored !== undefined && rows * block !== count))
        throw badRule(
          `${rule} stores ${count} values in blocks of ${block}`,
          `Give a multiple of ${block} as \`stored\`, or another \`block\`.`,
        );
      const key = ['hashed', seed, name] as const;
      const draw = { state: randomState(...key), sign, turned: false };
      const index = drawn(createRandom(...key), Math.ceil(size / block), rows, sign);
      const length = index.length * block;
      return readByElements(name, block === 1 ? [rows] : [rows, block], (values) =>
        // The last block may be longer than what is left of the weight.
        length === size
          ? gather(values, index, shape, block, draw)
          : reshape(slice(gather(values, index, [length], block, draw), [0], [size]), shape),
      );
    },
  };
}

function drawn(
  random: ReturnType<typeof createRandom>,
  length: number,
  rows: number,
  sign: boolean,
): Int32Array {
  const index = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const at = random.below(rows) + 1;
    index[i] = sign && !(random.uint32() & 1) ? -at : at;
  }
  return index;
}
