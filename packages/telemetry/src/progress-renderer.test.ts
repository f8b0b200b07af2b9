import assert from 'node:assert/strict';
import { createSimulatedClock } from '@tutti/runtime';
import { createProgressRenderer } from './progress-renderer.js';
import { epoch, finished, memoryStream, started, stepEvent } from './testing.js';

function setUp() {
  const stdout = memoryStream(true);
  const stderr = memoryStream(true);
  const clock = createSimulatedClock();
  return { stdout, stderr, clock, render: createProgressRenderer({ stdout, stderr, clock }) };
}

describe('progress renderer', () => {
  it('draws epoch, step, loss, accuracy, examples/s and time left', () => {
    const { stderr, clock, render } = setUp();
    render(started);
    for (const step of [1, 938]) {
      clock.advance(1000);
      render(stepEvent(step, { epoch: step === 1 ? 1 : 3 }));
    }
    render.close();
    const drawn = stderr.text();
    assert.match(drawn, /epoch 3\/10 █{5}░{19} step 938\/4690/);
    assert.match(drawn, /loss 0\.5000 · accuracy 87\.50 % · 4,321 examples\/s · 4\.0 s left/);
  });

  it('draws no line that is wider than the terminal, also after that was made narrower', () => {
    const { stderr, clock, render } = setUp();
    const narrow = Object.assign(stderr, { columns: 50 });
    render(started);
    clock.advance(1000);
    render(stepEvent(938, { epoch: 3 }));
    render.note('drawn again');
    const wide = stderr.text().length;
    narrow.columns = 42;
    render.note('and again');
    render.close();
    assert.match(stderr.text().slice(0, wide), /░ step 938\/4690 · loss 0\.5000/);
    assert.doesNotMatch(stderr.text(), /accuracy/);
  });

  it('writes epochs and notes as whole lines, with the bar taken away before them', () => {
    const { stdout, stderr, render } = setUp();
    render(started);
    render(stepEvent(469));
    render(epoch);
    render.note('a log line');
    render.close();
    assert.ok(stdout.lines().some((line) => line.startsWith('epoch 1/10: loss 0.1234')));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are driven with them
    assert.match(stderr.text(), /\x1b\[2Ka log line\n/);
  });

  it('gives the terminal back: the cursor shown, lines wrapped, no timer left', () => {
    for (const end of ['close', 'finished', 'failed'] as const) {
      const { stderr, render } = setUp();
      render(started);
      render(stepEvent(1));
      if (end === 'close') render.close();
      else if (end === 'finished') render(finished);
      else
        render({ event: 'failed', code: 'ABORTED', message: 'Stopped.', remedy: '', details: {} });
      const drawn = stderr.text();
      assert.ok(drawn.lastIndexOf('\x1b[?25h') > drawn.lastIndexOf('\x1b[?25l'), end);
      assert.ok(drawn.lastIndexOf('\x1b[?7h') > drawn.lastIndexOf('\x1b[?7l'), end);
      render.note('later');
      assert.ok(stderr.text().endsWith('later\n'), end);
    }
  });

  it('ends with the summary on stdout', () => {
    const { stdout, render } = setUp();
    render(started);
    render(epoch);
    render(finished);
    const tail = stdout.lines().slice(-3);
    assert.deepEqual(tail, [
      'load it:',
      "  import * as tf from '@tensorflow/tfjs-node';",
      "  const model = await tf.loadLayersModel('file:///runs/convnet/model.json');",
    ]);
  });
});
