import assert from 'node:assert/strict';
import { createSimulatedClock } from '@tutti/runtime';
import type { RunEvent } from '@tutti/telemetry';
import { createRunHistory } from '../run-history.js';
import { at, joined, lost, startedEvent, stepEvent, T0 } from '../testing.js';
import { reportHtml } from './report.js';

const origin = { tutti: '0.1.0', node: 'v20', machine: 'a machine' };
const digest = 'ab'.repeat(32);
const finished: RunEvent = {
  ...{ event: 'finished', steps: 100, examples: 3200, loss: 0.1, metrics: { accuracy: 0.975 } },
  ...{ digest, examplesPerSecond: 900, wireBytesPerStep: 512, storedParameters: 30 },
  modelPath: 'runs/line/run-0001/step-000000100',
};

function reportOf(...events: readonly RunEvent[]): string {
  const history = createRunHistory({ clock: createSimulatedClock(T0) });
  for (const [index, event] of events.entries()) history.event(at(100 * index, event));
  history.complete();
  return reportHtml(history, origin);
}
const steps = Array.from({ length: 100 }, (_, index) => stepEvent(index + 1));
const started = startedEvent({
  hyperparameters: { optimizer: 'adam', learningRate: 0.001 },
  dataset: { training: 1600, evaluation: 400 },
});
const epoch: RunEvent = {
  ...{ event: 'epoch', epoch: 1, step: 50, loss: 0.5, metrics: { accuracy: 0.5 } },
  evaluation: { loss: 0.25, metrics: { accuracy: 0.9 } },
};

describe('the report of a run', () => {
  it('says what was lost, however much else has happened', () => {
    const checkpoint = (step: number): RunEvent => ({ event: 'checkpoint', step, path: 'p' });
    const text = reportOf(
      ...[joined('w0', 1), joined('w1', 2), started, lost('w1', 1)],
      ...Array.from({ length: 1000 }, (_, at) => checkpoint(at + 1)),
    );
    assert.ok(text.includes('One fault'), text);
    assert.ok(text.includes('w1 was lost'), text);
  });

  it('says why a run ended early, and where its learning rate was reduced', () => {
    const text = reportOf(
      ...[started, ...steps.slice(0, 50)],
      { event: 'learning-rate', step: 40, epoch: 2, factor: 0.1 },
      { event: 'early-stop', step: 50, epoch: 3, monitor: 'loss' },
    );
    assert.match(text, /Learning rate reduced.*it is 10 % of what it would be from now on/);
    assert.match(text, /Ends early.*No better by loss after epoch 3/);
  });

  it('says what was trained, on what, how fast, what it survived, and how to load it', () => {
    const text = reportOf(
      ...[joined('w0', 1), joined('w1', 2), started, ...steps.slice(0, 50), epoch],
      ...[lost('w1', 1), ...steps.slice(50), finished],
    );
    for (const part of [
      ...['<h1>line</h1>', 'adam', '0.001', '1,600', digest, '900', '512 B', 'w0, w1'],
      ...['One fault, survived', 'w1 was lost', 'readCheckpoint', 'step-000000100', '90.00 %'],
    ])
      assert.ok(text.includes(part), part);
    assert.equal(text.match(/<figure>/g)?.length, 3);
    assert.equal(text.match(/class="mark fault"/g)?.length, 3);
  });

  it('does not hide its curves behind evaluations, however many there are', () => {
    const evaluated = (count: number) =>
      reportOf(started, ...steps, ...Array.from({ length: count }, () => epoch), finished);
    assert.match(evaluated(40), /class="test"/);
    assert.match(evaluated(41), /class="test many"/);
  });

  it('counts one epoch as one', () => {
    assert.ok(reportOf(started, ...steps, finished).includes(', in 2 epochs'));
    const short = startedEvent({ epochs: 1 });
    assert.match(reportOf(short, ...steps, finished), /, in 1 epoch</);
    assert.match(reportOf(started, ...steps.slice(0, 60)), /, in 1 of 2 epochs</);
  });

  it('is one file that needs no network and runs nothing', () => {
    const text = reportOf(started, ...steps, finished);
    assert.doesNotMatch(text, /https?:|<script|src=|@import|url\(|<link/);
    assert.match(text, /Content-Security-Policy" content="default-src &#39;none&#39;/);
    const opened = [...text.matchAll(/<(\w+)(?:[^>"]|"[^"]*")*?(\/?)>/g)].filter(
      ([, tag, closed]) => !closed && !['meta', 'doctype'].includes(tag!),
    );
    assert.equal(opened.length, [...text.matchAll(/<\/\w+>/g)].length);
  });

  it('takes what a run tells of itself as text', () => {
    const evil = '<img src=x onerror=alert(1)>"\'&';
    const text = reportOf(
      startedEvent({ program: evil, hyperparameters: { [evil]: evil } }),
      stepEvent(1, { metrics: { [evil]: 0.5 } }),
      { event: 'warning', code: 'STORAGE', message: evil, remedy: evil },
      { event: 'failed', code: 'STORAGE', message: evil, remedy: evil, details: {} },
    );
    assert.doesNotMatch(text, /<img/);
    assert.ok(text.includes('&#60;img src=x'));
  });

  it('is there for a run that failed, or that had no finite number', () => {
    const nothing = stepEvent(1, { loss: Number.NaN, metrics: {} });
    const text = reportOf(started, nothing, {
      ...{ event: 'failed', code: 'NOT_FINITE', message: 'The gradient is NaN' },
      ...{ remedy: 'Lower the learning rate.', details: {} },
    });
    assert.match(text, /NOT_FINITE: The gradient is NaN/);
    assert.match(text, /Failed on .* step 1 of 100/);
    assert.doesNotMatch(text, /NaN[^<]*"/);
  });
});
