import assert from 'node:assert/strict';
import { createKernels } from '@tutti/kernels';
import { createLanding } from './landing.js';

describe('landing', () => {
  const kernels = createKernels();

  it('gives the same memory until it is taken, and a block of it once', () => {
    const landing = createLanding(kernels);
    const bytes = landing.place(5);
    assert.equal(bytes.length, 20);
    assert.equal(landing.place(5), bytes);
    assert.notEqual(landing.place(6), bytes);
    const block = landing.take(bytes);
    assert.equal(block?.bytes, bytes);
    assert.equal(landing.take(bytes), undefined);
    assert.notEqual(landing.place(5), bytes);
    landing.release();
  });

  it('takes nothing that lies elsewhere', () => {
    const landing = createLanding(kernels);
    const bytes = landing.place(5);
    assert.equal(landing.take(bytes.slice()), undefined);
    assert.equal(landing.take(new Uint8Array(4)), undefined);
    landing.release();
    assert.equal(landing.take(bytes), undefined);
  });
});
