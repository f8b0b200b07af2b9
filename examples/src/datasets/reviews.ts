import { arrays, type Dataset } from '@tutti/data';
import { createRandom, type Random } from '@tutti/runtime';

const PRAISE = 'good great fine lovely superb brilliant moving clever warm funny'.split(' ');
const BLAME = 'bad awful dull poor weak boring clumsy cold silly painful'.split(' ');
const THINGS = 'film plot book song play cast ending score dialogue story'.split(' ');

/** The vocabulary; a review holds positions in it, and 0 fills it up. */
export const WORDS: readonly string[] = [
  '',
  ...'the and but not is was really very'.split(' '),
  ...THINGS,
  ...PRAISE,
  ...BLAME,
];

/** Words in a review, with padding. */
export const LENGTH = 14;

/**
 * Made-up reviews: `x` is int32 [n, 14], word numbers; `y` int32 [n], 1 for praise. The last of its
 * one or two statements decides, and a "not" in a statement turns it round.
 */
export function reviews(options: { training: number; evaluation: number; seed: number }): {
  training: Dataset;
  evaluation: Dataset;
} {
  const part = (name: 'training' | 'evaluation') => {
    const random = createRandom('reviews', options.seed, name);
    const made = Array.from({ length: options[name] }, () => review(random));
    return arrays({
      x: {
        data: Int32Array.from(made.flatMap(({ words }) => words)),
        shape: [made.length, LENGTH],
      },
      y: { data: Int32Array.from(made, ({ praise }) => (praise ? 1 : 0)), shape: [made.length] },
    });
  };
  return { training: part('training'), evaluation: part('evaluation') };
}

function review(random: Random): { words: number[]; praise: boolean } {
  let { text, praise } = statement(random);
  if (random.below(2) === 1) {
    const second = statement(random);
    text = [...text, second.praise === praise ? 'and' : 'but', ...second.text];
    praise = second.praise;
  }
  const words = text.map((word) => WORDS.indexOf(word));
  return { words: [...new Array<number>(LENGTH - words.length).fill(0), ...words], praise };
}

function statement(random: Random): { text: string[]; praise: boolean } {
  const pick = (words: readonly string[]) => words[random.below(words.length)]!;
  const kind = random.below(2) === 1;
  const negated = random.below(3) === 0;
  const text = [
    'the',
    pick(THINGS),
    pick(['is', 'was']),
    ...(negated ? ['not'] : []),
    ...(random.below(2) === 1 ? [pick(['really', 'very'])] : []),
    pick(kind ? PRAISE : BLAME),
  ];
  return { text, praise: kind !== negated };
}
