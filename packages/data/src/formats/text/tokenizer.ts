import { checkKeys, showValue } from '@tutti/runtime';
import { badData } from '../../contract/bad-data.js';
import { badOption } from '../../contract/options.js';

export interface TokenizerOptions {
  /** What a token is: a word, as between spaces and marks, in small letters; or a character. Default words. */
  readonly tokens?: 'words' | 'characters' | undefined;
  /** Tokens that have a number of their own, with padding and unknown. Default: all. */
  readonly vocabulary?: number | undefined;
}

/** Numbers for the tokens of texts. The same texts, in any order, give the same numbers. */
export interface Tokenizer {
  /** By number; 0 is padding and 1 whatever is unknown. The most frequent come first. */
  readonly tokens: readonly string[];
  /** Unpadded. */
  encode(text: string): Int32Array;
  /** Cut or padded with 0, at the end. */
  encodeTo(length: number, text: string): Int32Array;
  decode(numbers: ArrayLike<number>): string;
}

const KNOWN: Readonly<Record<keyof TokenizerOptions, true>> = { tokens: true, vocabulary: true };

export const TOKENIZER_KEYS = KNOWN;

/**
 * @param texts what it is made from: those of the training data, not of the evaluation
 * @throws TuttiError BAD_DATA for no texts, BAD_PROGRAM for options that make no sense
 */
export function createTokenizer(
  texts: Iterable<string>,
  options: TokenizerOptions = {},
): Tokenizer {
  checkKeys('createTokenizer', options, KNOWN);
  const { tokens: kind = 'words', vocabulary = Number.POSITIVE_INFINITY } = options;
  if (kind !== 'words' && kind !== 'characters')
    throw badOption(`tokens is ${showValue(kind)}`, "Give 'words' or 'characters'.");
  // Padding and unknown are two.
  if (!(vocabulary > 2 && (Number.isSafeInteger(vocabulary) || options.vocabulary === undefined)))
    throw badOption(`vocabulary is ${showValue(vocabulary)}`, 'Give a whole number from 3.');
  const counts = new Map<string, number>();
  for (const text of texts)
    for (const token of tokensOf(text, kind)) counts.set(token, (counts.get(token) ?? 0) + 1);
  if (counts.size === 0)
    throw badData('There is no text to make a tokenizer from', 'Give at least one token.', {});
  const ranked = [...counts].sort(([a, often], [b, other]) => other - often || (a < b ? -1 : 1));
  const tokens = ['', '�', ...ranked.map(([token]) => token)].slice(0, vocabulary);
  const numbers = new Map(tokens.map((token, number) => [token, number]));
  const encode = (text: string) =>
    Int32Array.from(tokensOf(text, kind), (token) => numbers.get(token) ?? 1);
  return {
    tokens,
    encode,
    encodeTo(length, text) {
      const padded = new Int32Array(length);
      padded.set(encode(text).subarray(0, length));
      return padded;
    },
    decode: (given) =>
      Array.from(given, (number) => tokens[number] ?? tokens[1]!)
        .filter((token) => token !== '')
        .join(kind === 'words' ? ' ' : ''),
  };
}

/** Accents and vowels that are characters of their own belong to the letter before them. */
const WORD_OR_MARK = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:['’]\p{L}[\p{L}\p{M}]*)*|[^\s\p{L}\p{N}]/gu;

/** Words in small letters, marks by themselves. */
function tokensOf(text: string, kind: 'words' | 'characters'): string[] {
  if (kind === 'characters') return [...text.replaceAll('\r\n', '\n')];
  return text.toLowerCase().match(WORD_OR_MARK) ?? [];
}
