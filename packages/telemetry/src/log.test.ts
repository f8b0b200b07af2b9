import assert from 'node:assert/strict';
import { createLog, type LogLevel } from './log.js';

describe('log', () => {
  const linesAt = (level: LogLevel) => {
    const lines: string[] = [];
    const log = createLog(level, (line) => lines.push(line));
    log.debug('computed step 12');
    log.warn('refused a peer');
    return lines;
  };

  it('shows what is at least as important as its level', () => {
    const warning = 'warning: refused a peer';
    assert.deepEqual(linesAt('debug'), ['debug: computed step 12', warning]);
    assert.deepEqual(linesAt('info'), [warning]);
    assert.deepEqual(linesAt('warn'), [warning]);
    assert.deepEqual(linesAt('error'), []);
    assert.deepEqual(linesAt('silent'), []);
  });
});
