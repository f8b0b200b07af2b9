import assert from 'node:assert/strict';
import { NoTextError, textOf } from './text.js';

describe('textOf', () => {
  const text = 'Zürich, 5 €\r\n𝄞\n';
  const little = Buffer.from(text, 'utf16le');

  it('reads UTF-8 and UTF-16, and passes over a byte-order mark', () => {
    for (const bytes of [
      Buffer.from(text),
      Buffer.from(`\uFEFF${text}`),
      Buffer.from(`\uFEFF${text}`, 'utf16le'),
      Buffer.from(`\uFEFF${text}`, 'utf16le').swap16(),
    ])
      assert.equal(textOf(bytes), text);
    assert.equal(textOf(Buffer.of()), '');
  });

  it('refuses what it would have to guess', () => {
    assert.throws(() => textOf(little), NoTextError);
    assert.throws(() => textOf(Buffer.from('Zürich', 'latin1')), NoTextError);
  });
});
