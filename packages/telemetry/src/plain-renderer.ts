import type { StartedEvent, StepEvent } from './events.js';
import { formatCount, formatDuration, formatLoss, formatMetrics } from './format.js';
import { eventText, outOf } from './lines.js';
import { asRenderer, type Renderer, type TimedRendererInit } from './renderer.js';
import { summaryLines } from './summary.js';
import { createTimeLeft } from './time-left.js';

const STEP_LINE_INTERVAL_MS = 1000;

/**
 * Short lines, for a file or a pipe: every epoch, every notable event, and of the steps at most
 * one a second. Results go to stdout; what needs attention goes to stderr.
 */
export function createPlainRenderer(init: TimedRendererInit): Renderer {
  const { stdout, stderr, clock } = init;
  const timeLeft = createTimeLeft(clock);
  let started: StartedEvent | undefined;
  let startedAt: number | undefined;
  let lastStepLine = Number.NEGATIVE_INFINITY;
  let evaluated = false;

  function stepLine(event: StepEvent) {
    timeLeft.update(event.step, started?.steps);
    if (clock.now() - lastStepLine < STEP_LINE_INTERVAL_MS) return;
    lastStepLine = clock.now();
    const left = timeLeft.estimateMs();
    const parts = [
      `step ${outOf(event.step, started?.steps)}`,
      `epoch ${outOf(event.epoch, started?.epochs)}`,
      `loss ${formatLoss(event.loss)}`,
      formatMetrics(event.metrics),
      `${formatCount(event.examplesPerSecond)} examples/s`,
      left === undefined ? '' : `${formatDuration(left)} left`,
    ];
    stdout.write(`${parts.filter(Boolean).join(', ')}\n`);
  }

  return asRenderer(
    (event) => {
      if (event.event === 'started') {
        started = event;
        startedAt = clock.now();
      }
      if (event.event === 'epoch') evaluated = event.evaluation !== undefined;
      if (event.event === 'step') stepLine(event);
      else if (event.event === 'finished') {
        const lines = summaryLines(event, {
          evaluated,
          ...(startedAt === undefined ? {} : { elapsedMs: clock.now() - startedAt }),
        });
        stdout.write(`${lines.join('\n')}\n`);
      } else {
        const line = eventText(event, started);
        if (line !== undefined) (line.urgent ? stderr : stdout).write(`${line.text}\n`);
      }
    },
    { note: (line) => stderr.write(`${line}\n`), close: () => {} },
  );
}
