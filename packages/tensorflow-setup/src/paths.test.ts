import assert from 'node:assert/strict';
import { cacheFolder } from './paths.js';

describe('cacheFolder', () => {
  it('takes TUTTI_CACHE, else XDG_CACHE_HOME, else ~/.cache', () => {
    assert.equal(
      cacheFolder({ TUTTI_CACHE: '/own', XDG_CACHE_HOME: '/xdg' }, () => '/home/a'),
      '/own',
    );
    assert.equal(
      cacheFolder({ XDG_CACHE_HOME: '/xdg' }, () => '/home/a'),
      '/xdg/tutti',
    );
    assert.equal(
      cacheFolder({}, () => '/home/a'),
      '/home/a/.cache/tutti',
    );
  });

  it('asks for the home folder only where it is needed, and says what to do without one', () => {
    const homeless = () => {
      throw new Error('uv_os_homedir returned ENOENT');
    };
    assert.equal(cacheFolder({ TUTTI_CACHE: '/own' }, homeless), '/own');
    assert.equal(cacheFolder({ XDG_CACHE_HOME: '/xdg' }, homeless), '/xdg/tutti');
    assert.throws(() => cacheFolder({}, homeless), {
      code: 'NO_TENSORFLOW',
      remedy: /TUTTI_CACHE/,
    });
  });

  it('ignores empty variables and a relative XDG_CACHE_HOME', () => {
    const environment = { TUTTI_CACHE: '', XDG_CACHE_HOME: 'relative' };
    assert.equal(
      cacheFolder(environment, () => '/home/a'),
      '/home/a/.cache/tutti',
    );
  });
});
