import { checkKeys, showValue } from '@tutti/runtime';
import { badData } from '../../contract/bad-data.js';
import type { Dataset } from '../../contract/dataset.js';
import { checkIndices } from '../../contract/indices.js';
import { badOption } from '../../contract/options.js';
import { readText } from '../../files/read-text.js';
import {
  createTokenizer,
  TOKENIZER_KEYS,
  type Tokenizer,
  type TokenizerOptions,
} from './tokenizer.js';

export interface TextOptions extends TokenizerOptions {
  /** Tokens of an example. */
  readonly length: number;
  /** Tokens from the beginning of one example to that of the next. Default `length`. */
  readonly stride?: number | undefined;
  /** That of another text; by default it is made from this one. */
  readonly tokenizer?: Tokenizer | undefined;
}

const KNOWN: Readonly<Record<keyof TextOptions, true>> = {
  length: true,
  stride: true,
  tokenizer: true,
  ...TOKENIZER_KEYS,
};

/**
 * Text, plain or gzip, for a model that predicts what comes next: field `x` holds `length` tokens as
 * int32, `y` the token after each of them.
 *
 * @example const poems = await text('poems.txt', { length: 40, tokens: 'characters' });
 * @returns the data set, with the tokenizer
 * @throws TuttiError BAD_DATA for a file that is missing or shorter than an example; BAD_PROGRAM for
 * options that make no sense
 */
export async function text(
  file: string,
  options: TextOptions,
): Promise<Dataset & { readonly tokenizer: Tokenizer }> {
  checkKeys('text', options, KNOWN);
  const { length, stride = length, tokens, vocabulary } = options;
  for (const [name, value] of Object.entries({ length, stride }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw badOption(`${name} of text() is ${showValue(value)}`, 'Give a whole number from 1.');
  if (options.tokenizer !== undefined && vocabulary !== undefined)
    throw badOption(
      'text() was given a tokenizer, and a vocabulary for one',
      'Leave one of them out: a tokenizer has its vocabulary.',
    );
  const content = await readText(file);
  const tokenizer = options.tokenizer ?? createTokenizer([content], { tokens, vocabulary });
  const numbers = tokenizer.encode(content);
  const size = Math.floor((numbers.length - 1 - length) / stride) + 1;
  if (size < 1)
    throw badData(
      `has ${numbers.length} tokens, which is no example of ${length} and the one after`,
      'Give a longer text, or a smaller `length`.',
      { file },
    );
  return {
    size,
    tokenizer,
    origin: (index) => `the example from token ${index * stride} of ${file}`,
    async read(indices) {
      checkIndices(indices, size, file);
      const [x, y] = [0, 1].map((ahead) => {
        const data = new Int32Array(indices.length * length);
        for (let i = 0; i < indices.length; i++) {
          const from = indices[i]! * stride + ahead;
          data.set(numbers.subarray(from, from + length), i * length);
        }
        return { data, shape: [indices.length, length] };
      });
      return { x: x!, y: y! };
    },
  };
}
