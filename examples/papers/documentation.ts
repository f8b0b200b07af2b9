import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { arrays, type Dataset } from '@tutti/data';
import { setting } from './settings.js';

/** Words of which the rarer ones are one word, `<rare>`; word 0 stands before the first of a text. */
export const VOCABULARY = 3_000;
/** Words that a word is guessed from. */
export const CONTEXT = 4;

/**
 * English prose that a package ships: the comments of @types/node, the documentation of Node.js. `x` is int32
 * [n, 4], the words before, `y` int32 [n], the word. Of ten comments eight are trained on and one is the test;
 * with `VALIDATION=1` the one that is left is.
 */
export function documentation(): { training: Dataset; evaluation: Dataset } {
  const texts = comments();
  const tested = setting('VALIDATION', 0) === 0 ? 9 : 8;
  const training = texts.filter((_, at) => at % 10 < 8);
  const numbers = numbersOf(training);
  const examples = (chosen: string[][]) => {
    const words = chosen.map((text) => text.map((word) => numbers.get(word) ?? 1));
    const y = words.flat();
    const x = words.flatMap((text) =>
      text.flatMap((_, at) =>
        Array.from({ length: CONTEXT }, (_, k) => text[at - CONTEXT + k] ?? 0),
      ),
    );
    return arrays({
      x: { data: Int32Array.from(x), shape: [y.length, CONTEXT] },
      y: { data: Int32Array.from(y), shape: [y.length] },
    });
  };
  return {
    training: examples(training),
    evaluation: examples(texts.filter((_, at) => at % 10 === tested)),
  };
}

/** Each different comment of some length, as words and stops, without code and tags. */
function comments(): string[][] {
  const folder = dirname(createRequire(import.meta.url).resolve('@types/node/package.json'));
  const files = readdirSync(folder).filter((name) => name.endsWith('.d.ts'));
  const found = files.sort().flatMap((name) => {
    const source = readFileSync(join(folder, name), 'utf8');
    return [...source.matchAll(/\/\*\*(.*?)\*\//gs)].map(([, comment]) =>
      comment!
        .replace(/```.*?```/gs, ' ')
        .replace(/`[^`]*`|\(?https?:\S+|@\w+/g, ' ')
        .toLowerCase(),
    );
  });
  return [...new Set(found)]
    .map((text) => text.match(/[a-z]+|[.,:;?!]/g) ?? [])
    .filter(({ length }) => length >= 8);
}

/** The most frequent words, from 2. */
function numbersOf(texts: readonly string[][]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of texts.flat()) counts.set(word, (counts.get(word) ?? 0) + 1);
  const frequent = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return new Map(frequent.slice(0, VOCABULARY - 2).map(([word], at) => [word, at + 2]));
}
