import assert from 'node:assert/strict';
import { createLogger, silentLogger } from './log.js';
import { memoryStream } from './testing.js';

describe('logger', () => {
  it('writes JSON lines with level, fields and the fields of its parents', () => {
    const stream = memoryStream();
    const log = createLogger({ level: 'info', stream }).child({ role: 'worker', name: 'w1' });
    log.debug('not shown');
    log.warn('slow step', { step: 12, stepMs: 950 });
    assert.equal(stream.lines().length, 1);
    const { time, ...line } = JSON.parse(stream.lines()[0]!);
    assert.match(time, /^\d{4}-/);
    assert.deepEqual(line, {
      level: 'warn',
      role: 'worker',
      name: 'w1',
      step: 12,
      stepMs: 950,
      msg: 'slow step',
    });
  });

  it('writes readable lines to a terminal', () => {
    const stream = memoryStream(true);
    createLogger({ level: 'debug', stream, colour: false }).error('lost', {
      worker: 'w2',
      error: new Error('boom'),
    });
    assert.match(stream.text(), /ERROR: lost/);
    assert.match(stream.text(), /w2/);
    assert.match(stream.text(), /boom/);
  });

  it('writes nothing when silent', () => {
    const stream = memoryStream();
    createLogger({ level: 'silent', stream }).error('x');
    silentLogger.child({ a: 1 }).error('x');
    assert.equal(stream.text(), '');
  });
});
