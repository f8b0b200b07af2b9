import assert from 'node:assert/strict';
import { cacheFolder } from './paths.js';

describe('cacheFolder', () => {
  it('takes TUTTI_CACHE, else XDG_CACHE_HOME, else ~/.cache', () => {
    assert.equal(cacheFolder({ TUTTI_CACHE: '/own', XDG_CACHE_HOME: '/xdg' }, '/home/a'), '/own');
    assert.equal(cacheFolder({ XDG_CACHE_HOME: '/xdg' }, '/home/a'), '/xdg/tutti');
    assert.equal(cacheFolder({}, '/home/a'), '/home/a/.cache/tutti');
  });

  it('ignores empty variables and a relative XDG_CACHE_HOME', () => {
    const environment = { TUTTI_CACHE: '', XDG_CACHE_HOME: 'relative' };
    assert.equal(cacheFolder(environment, '/home/a'), '/home/a/.cache/tutti');
  });
});
