import assert from 'node:assert/strict';
import { createSimulatedClock } from '@tutti/runtime';
import { prometheusText } from './prometheus.js';
import { createRunHistory } from './run-history.js';
import { at, joined, lost, startedEvent, stepEvent, T0 } from './testing.js';

/** The grammar of the text format: https://prometheus.io/docs/instrumenting/exposition_formats/ */
const SAMPLE =
  /^[a-zA-Z_:][\w:]*\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*\} (?:[-+]?\d[\d.e+-]*|NaN)$/;

describe('the metrics for Prometheus', () => {
  const history = createRunHistory({ clock: createSimulatedClock(T0) });

  it('are there before anything has happened', () => {
    assert.match(prometheusText(history.view()), /^tutti_step\{program="",job=""\} 0$/m);
  });

  it('count all faults, of which a view has the last', () => {
    const history = createRunHistory({ clock: createSimulatedClock(T0) });
    for (let round = 1; round <= 1000; round++) {
      history.event(at(2 * round, joined('w1', 2)));
      history.event(at(2 * round + 1, lost('w1', 1)));
    }
    assert.match(prometheusText(history.view()), /^tutti_faults_total\{.*\} 1000$/m);
  });

  it('name the run and everybody in it, in the format that Prometheus reads', () => {
    for (const event of [
      at(0, startedEvent({ program: 'a "line"\\of\ntext' })),
      ...[at(1, joined('w0', 1)), at(2, joined('w1', 2)), at(9, stepEvent(1))],
      ...[at(10, stepEvent(2, { loss: Number.NaN })), at(11, lost('w1', 1))],
    ])
      history.event(event);
    const text = prometheusText(history.view());
    const run = 'program="a \\"line\\"\\\\of\\ntext",job="j1"';
    for (const line of [
      `tutti_step{${run}} 2`,
      `tutti_steps{${run}} 100`,
      `tutti_metric{${run},metric="accuracy"} 0.5`,
      `tutti_examples_per_second{${run}} 1000`,
      `tutti_workers{${run}} 1`,
      `tutti_faults_total{${run}} 1`,
      `tutti_run_info{${run},phase="training"} 1`,
      '# TYPE tutti_faults_total counter',
    ])
      assert.ok(text.includes(`${line}\n`), `${line} in\n${text}`);
    // What is no number is left out.
    assert.doesNotMatch(text, /^tutti_loss\b/m);
    const seen = new Set<string>();
    for (const line of text.trimEnd().split('\n')) {
      const help = /^# HELP (\w+) \S/.exec(line);
      if (help !== null) {
        assert.ok(!seen.has(help[1]!), `${help[1]} is there once`);
        seen.add(help[1]!);
      } else if (!line.startsWith('# TYPE ')) assert.match(line, SAMPLE);
    }
  });
});
