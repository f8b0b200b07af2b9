import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PAGE_BYTES, pagesOf } from './timeline-pages.js';

describe('the pages of a timeline', () => {
  it('hold whole lines, whatever is in them, and all of them in their order', () => {
    const line = fc
      .string({ unit: 'grapheme', maxLength: 900 })
      .map((text) => `${JSON.stringify(text)},\n`);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
        const pages = pagesOf(lines);
        assert.equal(pages.length % PAGE_BYTES, 0);
        const kept: string[] = [];
        for (let at = 0; at < pages.length; at += PAGE_BYTES) {
          const page = pages.toString('utf8', at, at + PAGE_BYTES);
          assert.equal(page.at(-1), '\n');
          kept.push(...page.split(/(?<=\n)/).filter((part) => part.trim() !== ''));
        }
        assert.deepEqual(kept, lines);
      }),
    );
  });
});
