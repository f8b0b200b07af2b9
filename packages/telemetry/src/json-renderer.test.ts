import assert from 'node:assert/strict';
import type { RunEvent } from './events.js';
import { createJsonRenderer } from './json-renderer.js';
import { epoch, finished, memoryStream, started, stepEvent } from './testing.js';

describe('json renderer', () => {
  it('writes every event as one object a line and nothing else on stdout', () => {
    const stdout = memoryStream();
    const stderr = memoryStream();
    const render = createJsonRenderer({ stdout, stderr });
    const events: RunEvent[] = [
      started,
      stepEvent(1),
      { event: 'waiting', who: 'w1', what: 'its\nreport', sinceMs: 5000, remedy: 'Wait.' },
      { event: 'warning', code: 'SLOW', message: 'a "quoted" thing', remedy: '' },
      epoch,
      finished,
    ];
    for (const event of events) render(event);
    render.note('a log line');
    assert.deepEqual(
      stdout.lines().map((line) => JSON.parse(line)),
      events,
    );
    assert.equal(stderr.text(), 'a log line\n');
  });

  it('ends with the documented finished object, with exactly its keys in their order', () => {
    const stdout = memoryStream();
    createJsonRenderer({ stdout, stderr: memoryStream() })(finished);
    assert.deepEqual(Object.keys(JSON.parse(stdout.lines().at(-1)!)), [
      'event',
      'steps',
      'examples',
      'loss',
      'metrics',
      'digest',
      'examplesPerSecond',
      'wireBytesPerStep',
      'storedParameters',
      'modelPath',
    ]);
  });

  it('tells a failure to scripts on stdout and to people on stderr', () => {
    const stdout = memoryStream();
    const stderr = memoryStream();
    createJsonRenderer({ stdout, stderr })({
      event: 'failed',
      code: 'NOT_FINITE',
      message: 'The gradient of dense/kernel is NaN.',
      remedy: 'Lower --learning-rate.',
      details: { step: 7 },
    });
    assert.equal(JSON.parse(stdout.lines()[0]!).details.step, 7);
    assert.match(
      stderr.text(),
      /NOT_FINITE: .*dense\/kernel is NaN\.\n {2}Lower --learning-rate\.\n/,
    );
  });

  it('stays valid JSON for a loss that is not finite', () => {
    const stdout = memoryStream();
    createJsonRenderer({ stdout, stderr: memoryStream() })(stepEvent(1, { loss: Number.NaN }));
    assert.equal(JSON.parse(stdout.lines()[0]!).loss, null);
  });
});
