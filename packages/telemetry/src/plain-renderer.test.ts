import assert from 'node:assert/strict';
import { createSimulatedClock } from '@tutti/runtime';
import { createPlainRenderer } from './plain-renderer.js';
import { epoch, finished, memoryStream, started, stepEvent } from './testing.js';

function setUp() {
  const stdout = memoryStream();
  const stderr = memoryStream();
  const clock = createSimulatedClock();
  return { stdout, stderr, clock, render: createPlainRenderer({ stdout, stderr, clock }) };
}

describe('plain renderer', () => {
  it('writes at most one step line a second, however many steps there are', () => {
    const { stdout, clock, render } = setUp();
    render(started);
    for (let step = 1; step <= 1000; step++) {
      clock.advance(10);
      render(stepEvent(step));
    }
    const steps = stdout.lines().filter((line) => line.startsWith('step '));
    assert.equal(steps.length, 10);
    assert.equal(
      steps[1],
      'step 101/4690, epoch 1/10, loss 0.5000, accuracy 87.50 %, 4,321 examples/s, 46 s left',
    );
  });

  it('writes every epoch, even several within a second', () => {
    const { stdout, render } = setUp();
    render(started);
    render(epoch);
    render({ ...epoch, epoch: 2 });
    assert.deepEqual(stdout.lines().slice(1), [
      'epoch 1/10: loss 0.1234, accuracy 95.00 %; test: loss 0.0456, accuracy 98.76 %',
      'epoch 2/10: loss 0.1234, accuracy 95.00 %; test: loss 0.0456, accuracy 98.76 %',
    ]);
  });

  it('says what is lost with a run that was stopped, though none of it is left', () => {
    const text = (details: Record<string, unknown>) => {
      const { stderr, render } = setUp();
      const stopped = 'Stopped after step 7. All of it is lost: a server was gone';
      const remedy = 'Start it again.';
      render({ event: 'failed', code: 'ABORTED', message: stopped, remedy, details });
      return stderr.text();
    };
    assert.match(text({ step: 0, lost: 7 }), /^Stopped after step 7\. All of it is lost/);
    assert.match(text({ step: 0, reached: 7 }), /^Stopped after step 7\./);
    assert.equal(text({ step: 0 }), 'stopped\n');
  });

  it('says what a run starts from', () => {
    const { stdout, render } = setUp();
    render({ ...started, from: { path: 'runs/a/step-000000006', digest: 'f00d' } });
    render({ ...started, resumed: { path: 'runs/b/step-000000007', step: 7 } });
    const [begins, goesOn] = stdout.lines();
    assert.match(
      begins!,
      /; a new run from step 0, with the weights of runs\/a\/step-000000006 and a fresh optimizer$/,
    );
    assert.match(goesOn!, /; on from step 7 \(runs\/b\/step-000000007\)$/);
  });

  it('sums the run up: accuracy, throughput, where the model lies, how to load it', () => {
    const { stdout, clock, render } = setUp();
    render(started);
    render(epoch);
    clock.advance(125_000);
    render(finished);
    const text = stdout.text();
    assert.match(text, /done: 4,690 steps, 600,000 examples in 2 min 05 s/);
    assert.match(text, /test accuracy +99\.10 %/);
    assert.match(text, /throughput +4,806 examples\/s, 1\.8 MB on the wire a step/);
    assert.match(text, /model +\/runs\/convnet\/model\.json/);
    assert.match(text, /tf\.loadLayersModel\('file:\/\/\/runs\/convnet\/model\.json'\)/);
  });

  it('does not call numbers of the training set test numbers', () => {
    const { stdout, render } = setUp();
    const { evaluation: _, ...training } = epoch;
    render(training);
    render({ ...finished, modelPath: null });
    assert.match(stdout.text(), /training accuracy +99\.10 %/);
    assert.doesNotMatch(stdout.text(), /test|load it/);
  });

  it('sends what needs attention to stderr with its remedy', () => {
    const { stdout, stderr, render } = setUp();
    render({
      event: 'waiting',
      who: 'worker w3',
      what: 'its report of step 12',
      sinceMs: 10_000,
      remedy: 'Restart it.',
    });
    render({
      event: 'worker-left',
      worker: 'w3',
      reason: 'connection closed',
      workers: 1,
      politely: false,
    });
    assert.equal(stdout.text(), '');
    assert.deepEqual(stderr.lines(), [
      'waiting for worker w3: its report of step 12, for 10 s now. Restart it.',
      'w3 left: connection closed (1 worker)',
    ]);
  });
});
