import assert from 'node:assert/strict';
import { showValue } from './show-value.js';

it('a value of any kind can be named in an error', () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  for (const [value, shown] of [
    ['32', '"32"'],
    [Number.NaN, 'NaN'],
    [undefined, 'undefined'],
    [null, 'null'],
    [[-1], '[-1]'],
    [12n, '12n'],
    [[12n], 'a list'],
    [{ size: 12n }, 'an object'],
    [cycle, 'a list'],
    [() => 1, 'a function'],
    [Symbol('seed'), 'Symbol(seed)'],
    [{ toJSON() {} }, 'an object'],
    [new Float32Array(3), 'Float32Array of 12 bytes'],
    [{ kernel: new Float32Array(3) }, '{"kernel":"Float32Array of 12 bytes"}'],
    [Array(1000).fill(0), `[${'0,'.repeat(99)}0...`],
    ['x'.repeat(1000), `"${'x'.repeat(199)}...`],
  ] as const)
    assert.equal(showValue(value), shown);
});
