import { createRequire } from 'node:module';
import type cliProgress from 'cli-progress';
import type { RunEvent, StartedEvent, StepEvent } from './events.js';
import { eventText } from './lines.js';
import { progressLine } from './progress-line.js';
import { asRenderer, type Renderer, type TimedRendererInit } from './renderer.js';
import { summaryLines } from './summary.js';
import { createTimeLeft } from './time-left.js';

const require = createRequire(import.meta.url);

const FRAMES_PER_SECOND = 5;
/** How wide a terminal is taken to be that does not say so. */
const DEFAULT_COLUMNS = 80;

/**
 * A progress bar on a terminal, with a line above it for everything else that happens, and a
 * summary at the end. Everything is drawn on stderr except the summary and the epochs, so that
 * `tutti train program.ts > results` keeps what matters.
 */
export function createProgressRenderer(init: TimedRendererInit): Renderer {
  const { stdout, stderr, clock } = init;
  const timeLeft = createTimeLeft(clock);
  let started: StartedEvent | undefined;
  let startedAt: number | undefined;
  let latest: StepEvent | undefined;
  let evaluated = false;
  let bar: cliProgress.SingleBar | undefined;

  function barLine(_: unknown, { progress: share }: { progress: number }): string {
    const leftMs = timeLeft.estimateMs();
    return progressLine({ started, latest, leftMs, share }, stderr.columns ?? DEFAULT_COLUMNS);
  }

  function draw() {
    if (started === undefined || bar !== undefined) return;
    // Loaded only for a terminal: whoever tells of events imports this package.
    const { SingleBar } = require('cli-progress') as typeof cliProgress;
    bar = new SingleBar({
      stream: stderr as NodeJS.WritableStream,
      format: barLine,
      fps: FRAMES_PER_SECOND,
      // Lines are written above the bar by taking it away and drawing it again.
      clearOnComplete: true,
      hideCursor: true,
      // Ours to call: a library installs no signal handlers.
      gracefulExit: false,
    });
    bar.start(started.steps, latest?.step ?? 0);
  }

  function erase() {
    bar?.stop();
    bar = undefined;
  }

  function above(stream: typeof stdout, text: string) {
    const wasDrawn = bar !== undefined;
    erase();
    stream.write(`${text}\n`);
    if (wasDrawn) draw();
  }

  function show(event: RunEvent) {
    if (event.event === 'step') {
      latest = event;
      timeLeft.update(event.step, started?.steps);
      bar?.update(event.step);
      return;
    }
    if (event.event === 'epoch') evaluated = event.evaluation !== undefined;
    if (event.event === 'finished') {
      erase();
      const lines = summaryLines(event, {
        evaluated,
        ...(startedAt === undefined ? {} : { elapsedMs: clock.now() - startedAt }),
      });
      stdout.write(`${lines.join('\n')}\n`);
      return;
    }
    if (event.event === 'failed') erase();
    const line = eventText(event, started);
    if (line !== undefined) above(line.urgent ? stderr : stdout, line.text);
    if (event.event === 'started') {
      started = event;
      startedAt = clock.now();
      draw();
    }
  }

  return asRenderer(show, { note: (line) => above(stderr, line), close: erase });
}
