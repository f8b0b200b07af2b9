import assert from 'node:assert/strict';
import { createSimulatedClock } from '@tutti/runtime';
import { createStopSignals, type StopSignal } from './stop-signals.js';

function prepare(init: { readonly held?: boolean } = {}) {
  const clock = createSimulatedClock();
  const exits: (number | string)[] = [];
  const signals = createStopSignals({
    clock,
    exit: (code) => exits.push(code),
    lastWords: () => exits.push('at once'),
    ...init,
  });
  const later = async (ms: number) => {
    clock.after(ms, () => {});
    clock.step();
  };
  return { ...signals, exits, later };
}

describe('signals that ask for the end', () => {
  for (const [name, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    it(`do what the command wants the first time, and end it the second: ${name}`, async () => {
      const { receive, signal, onStop, stoppedBy, exits, later } = prepare();
      const asked: StopSignal[] = [];
      onStop((given) => asked.push(given) > 0);
      receive(name);
      assert.deepEqual(asked, [name]);
      assert.equal(stoppedBy(), name);
      assert.equal(signal.aborted, false);
      await later(1000);
      receive(name);
      assert.deepEqual(exits, ['at once', code]);
      assert.equal(asked.length, 1);
    });

  it('wait where a command is to say what it does instead, but for Ctrl-C', () => {
    const early = prepare({ held: true });
    early.receive('SIGTERM');
    assert.equal(early.signal.aborted, false);
    const asked: StopSignal[] = [];
    early.onStop((given) => asked.push(given) > 0);
    assert.deepEqual(asked, ['SIGTERM']);
    assert.equal(early.signal.aborted, false);

    const interrupted = prepare({ held: true });
    interrupted.receive('SIGINT');
    assert.equal(interrupted.signal.aborted, true);
  });

  it('are one where npm hands on what the terminal has sent', async () => {
    const { receive, onStop, exits, later } = prepare();
    onStop(() => true);
    receive('SIGINT');
    await later(20);
    receive('SIGINT');
    assert.deepEqual(exits, []);
  });

  it('of a terminal that closes count once, however often they come', async () => {
    const { receive, onStop, exits, later } = prepare();
    onStop(() => true);
    receive('SIGHUP');
    await later(1000);
    receive('SIGHUP');
    receive('SIGPIPE');
    assert.deepEqual(exits, []);
  });

  it('abort what nobody ends otherwise, and end it by force if that takes long', async () => {
    const { receive, signal, onStop, exits, later } = prepare();
    onStop((name) => name !== 'SIGINT');
    receive('SIGINT');
    assert.equal(signal.aborted, true);
    await later(3999);
    assert.deepEqual(exits, []);
    await later(1);
    assert.deepEqual(exits, ['at once', 130]);
  });

  it('have the command say what is left, before they end it by force', async () => {
    const { receive, onStop, exits, later } = prepare();
    onStop(
      () => true,
      () => exits.push('step 7 is saved'),
    );
    receive('SIGINT');
    await later(1000);
    receive('SIGINT');
    assert.deepEqual(exits, ['step 7 is saved', 130]);
  });
});
