import assert from 'node:assert/strict';
import { createTestFolder, type TestFolder } from '../../testing.js';
import { text } from './text.js';
import { createTokenizer } from './tokenizer.js';

describe('a tokenizer', () => {
  it('numbers the most frequent words first, whatever the order of the texts', () => {
    const texts = ["The cat sat. It's the cat!", 'A cat: the end.'];
    const { tokens, encode, decode, encodeTo } = createTokenizer(texts);
    assert.deepEqual(tokens.slice(0, 5), ['', '�', 'cat', 'the', '.']);
    assert.deepEqual(createTokenizer([...texts].reverse()).tokens, tokens);
    assert.equal(decode(encode('THE CAT')), 'the cat');
    assert.deepEqual([...encode('the dog')], [3, 1]);
    assert.deepEqual([...encodeTo(4, 'the cat')], [3, 2, 0, 0]);
    assert.deepEqual([...encodeTo(1, 'the cat')], [3]);
    assert.ok(tokens.includes("it's"));
  });

  it('leaves accents and vowels of their own with the letters before them', () => {
    const { encode, decode } = createTokenizer(['Cafe\u0301, हिन्दी! ❤\uFE0Fyou']);
    const numbers = encode('cafe\u0301 हिन्दी ❤\uFE0Fyou');
    assert.equal(numbers.length, 5);
    assert.equal(decode(numbers), 'cafe\u0301 हिन्दी ❤ \uFE0F you');
  });

  it('refuses options that make no sense', () => {
    for (const [options, message] of [
      [{ tokens: 'chars' as 'characters' }, 'tokens is "chars"'],
      [{ vocabulary: -1 }, 'vocabulary is -1'],
      [{ vocabulary: 2.5 }, 'vocabulary is 2.5'],
      [{ vocabulary: Number.NaN }, 'vocabulary is NaN'],
    ] as const)
      assert.throws(() => createTokenizer(['a b c'], options), { code: 'BAD_PROGRAM', message });
  });

  it('has as many as the vocabulary allows, and characters if these are asked for', () => {
    const { tokens, encode } = createTokenizer(['b a a'], { tokens: 'characters', vocabulary: 4 });
    assert.deepEqual(tokens, ['', '�', ' ', 'a']);
    assert.deepEqual([...encode('ab')], [3, 1]);
    assert.throws(() => createTokenizer([' ']), { code: 'BAD_DATA' });
  });
});

describe('text', () => {
  let folder: TestFolder;
  beforeEach(async () => {
    folder = await createTestFolder();
  });
  afterEach(() => folder.remove());

  it('gives tokens, and the one after each', async () => {
    const file = await folder.write('a.txt', 'abcabcabca');
    const data = await text(file, { length: 4, stride: 3, tokens: 'characters' });
    assert.equal(data.size, 2);
    const { x, y } = await data.read([1, 0]);
    const show = (numbers: ArrayLike<number>) => data.tokenizer.decode(numbers);
    assert.deepEqual(
      [x!.shape, y!.shape],
      [
        [2, 4],
        [2, 4],
      ],
    );
    assert.equal(show(x!.data), 'abcaabca');
    assert.equal(show(y!.data), 'bcabbcab');
    const other = await text(await folder.write('b.txt', 'axaa'), {
      length: 2,
      tokenizer: data.tokenizer,
      tokens: 'characters',
    });
    assert.equal(show((await other.read([0])).x!.data), 'a�');
  });

  it('is refused where it is neither UTF-8 nor UTF-16', async () => {
    const file = await folder.write('a.txt', Buffer.from('Zürich', 'latin1'));
    await assert.rejects(text(file, { length: 1 }), {
      code: 'BAD_DATA',
      message: `${file}: is not UTF-8`,
    });
  });

  it('is refused where it is too short, or the length is none', async () => {
    const file = await folder.write('a.txt', 'a b');
    await assert.rejects(text(file, { length: 3 }), {
      message: /has 2 tokens, which is no example of 3/,
    });
    await assert.rejects(text(file, { length: 0 }), { code: 'BAD_PROGRAM' });
    const tokenizer = createTokenizer(['a']);
    await assert.rejects(text(file, { length: 1, tokenizer, vocabulary: 9 }), {
      code: 'BAD_PROGRAM',
      message: /a tokenizer, and a vocabulary for one/,
    });
  });
});
